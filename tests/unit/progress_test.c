/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves: what takes longer than half a second is told on a terminal, one line, also where no step is told in between, cut to the terminal's
 * width, and erased at the end; what takes less, and what goes to a pipe, is not; a message in between stands on a line of its own; of tasks
 * within tasks the innermost is told; and messages that are held back come out in the end, the last of each kind.
 */
#include "progress.h"

#include <fcntl.h>
#include <pty.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../test.h"
#include "message.h"

static int kept_stderr;
static char seen[65536];

/* From now on stderr is `fd`, which is closed. */
static void redirect(int fd)
{
	kept_stderr = dup(STDERR_FILENO);
	dup2(fd, STDERR_FILENO);
	close(fd);
}

/* What was written to the other end, into seen. */
static void restore(int from)
{
	size_t n = 0;
	ssize_t got;

	dup2(kept_stderr, STDERR_FILENO);
	close(kept_stderr);
	fcntl(from, F_SETFL, O_NONBLOCK);
	while (n + 1 < sizeof(seen) && (got = read(from, seen + n, sizeof(seen) - 1 - n)) > 0)
		n += (size_t)got;
	seen[n] = '\0';
	close(from);
}

/* A terminal of 40 columns is stderr; the descriptor of its other end. */
static int on_terminal(void)
{
	struct winsize size = {.ws_row = 24, .ws_col = 40};
	int master, slave;

	if (openpty(&master, &slave, NULL, NULL, &size)) {
		perror("openpty");
		exit(1);
	}
	redirect(slave);
	return master;
}

static void nap_ms(unsigned int ms)
{
	usleep(ms * 1000);
}

static const char *last_line(void)
{
	const char *end = strrchr(seen, '\r');
	const char *last = end;

	while (last && last > seen && last[-1] != '\r' && last[-1] != '\n')
		last--;
	return last;
}

static void test_slow(void)
{
	int terminal = on_terminal();

	progress_begin("loading tables", "files");
	progress_step(3, 40);
	nap_ms(650); /* one call that takes long */
	progress_step(12, 40);
	nap_ms(300);
	progress_say("a line that is longer than the terminal \033[2J is wide");
	nap_ms(300);
	progress_end();
	restore(terminal);
	CHECK(strstr(seen, "\rloading tables: 3 of 40 files "));
	CHECK(strstr(seen, "\rloading tables: 12 of 40 files "));
	CHECK(strstr(seen, "\ra line that is longer than the terminal\r")); /* 39 columns */
	CHECK(!strchr(seen, '\033') && !strchr(seen, '\n'));
	CHECK(last_line() && strspn(last_line(), " ") == 39); /* erased */
}

static void test_fast(void)
{
	int terminal = on_terminal();

	progress_begin("reading", "blocks");
	progress_step(1, 0);
	nap_ms(100);
	progress_end();
	nap_ms(600);
	restore(terminal);
	CHECK(!seen[0]);
}

static void test_pipe(void)
{
	int ends[2];

	CHECK(pipe(ends) == 0);
	redirect(ends[1]);
	progress_begin("reading", "blocks");
	nap_ms(700);
	progress_say("no");
	nap_ms(300);
	message("yes");
	progress_end();
	restore(ends[0]);
	CHECK(strcmp(seen, "memleak_dwunw_user: yes\n") == 0);
}

static void test_message(void)
{
	int terminal = on_terminal();
	const char *line;

	progress_begin("outer", "blocks");
	progress_step(7, 0);
	nap_ms(650);
	message("hello");
	progress_begin("inner", "files");
	nap_ms(300);
	progress_end();
	nap_ms(300);
	progress_end();
	progress_step(1, 1); /* of nothing */
	restore(terminal);
	CHECK(strstr(seen, "\router: 7 blocks "));
	line = strstr(seen, "memleak_dwunw_user: hello\r\n");		 /* the terminal adds \r */
	CHECK(line && line - seen > 41 && strspn(line - 40, " ") == 39); /* erased first */
	CHECK(line && strstr(line, "\rinner ... ") && strstr(line, "\router ... "));
}

static char shown[256];

static void show(void *context, const char *text)
{
	++*(int *)context;
	snprintf(shown, sizeof(shown), "%s", text);
}

static void test_elsewhere(void)
{
	int ends[2], n = 0;

	CHECK(pipe(ends) == 0);
	redirect(ends[1]);
	progress_to(show, &n);
	progress_begin("reading", "blocks");
	progress_step(5, 0);
	nap_ms(700);
	progress_end();
	progress_to(NULL, NULL);
	restore(ends[0]);
	CHECK(n > 0 && strcmp(shown, "reading: 5 blocks") == 0 && !seen[0]);
}

static void test_held(void)
{
	int ends[2], n = 0;
	const char *end;

	CHECK(pipe(ends) == 0);
	redirect(ends[1]);
	message("before");
	message_hold(show, &n);
	for (int i = 0; i < 10; i++)
		message("%d of a kind", i);
	message("another\033[2J\n");
	CHECK(message_is_held() && strcmp(shown, "another?[2J") == 0);
	message_release();
	message("after");
	restore(ends[0]);
	CHECK(n == 11 && !message_is_held());
	CHECK(strcmp(seen, "memleak_dwunw_user: before\n"
			   "memleak_dwunw_user: 9 of a kind\n"
			   "memleak_dwunw_user: another?[2J\n"
			   "memleak_dwunw_user: 9 earlier messages, most like these, are left out\n"
			   "memleak_dwunw_user: after\n") == 0);

	CHECK(pipe(ends) == 0);
	redirect(ends[1]);
	message_hold(show, &n);
	for (int i = 0; i < 1000; i++)
		message("%c%c%c", 'a' + i % 26, 'a' + i / 26 % 26, 'a' + i / 676);
	message_release();
	restore(ends[0]);
	end = strstr(seen, "936 earlier messages");
	CHECK(end && strstr(seen, ": llb\n") && !strstr(seen, ": aaa\n"));
}

int main(void)
{
	test_slow();
	test_fast();
	test_pipe();
	test_message();
	test_elsewhere();
	test_held();
	return test_end();
}
