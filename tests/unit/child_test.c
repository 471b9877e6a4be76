/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves: a started command is stopped before its first instruction, each step ends where a system
 * call does, its libraries become visible on the way, its status and signals arrive; it inherits no
 * file but 0 to 2 and no blocked signal, or others than these as asked; what cannot be run says why; child_end() ends also what
 * ignores SIGTERM; it dies with its tracer.
 */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../test.h"

static char dir[] = "/tmp/child_test.XXXXXX";

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Whole of a small file in the test's directory, NUL-terminated. */
static size_t slurp(const char *name, char *buf, size_t size)
{
	char path[256];
	size_t n = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "r");
	if (file) {
		n = fread(buf, 1, size - 1, file);
		fclose(file);
	}
	buf[n] = '\0';
	return n;
}

/* Waits without blocking, as the tool does. */
static bool ends_within(struct child *child, double seconds)
{
	const struct timespec pause = {0, 2000000};

	for (double end = now() + seconds; now() < end; nanosleep(&pause, NULL)) {
		if (child_has_ended(child))
			return true;
	}
	return child_has_ended(child);
}

static int run(const char *command)
{
	struct child child;
	int err = child_start(command, CHILD_INHERITS, &child);

	if (err)
		return err;
	if (child_release(&child) || !ends_within(&child, 5))
		return -ETIME;
	return child.status;
}

static void test_status(void)
{
	struct child child = {.pid = -7};
	int status = run("sh -c 'exit 3'");

	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	status = run("sh -c 'kill -USR1 $$'");
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
	CHECK(run("true") == 0);
	signal(SIGCHLD, SIG_IGN); /* as whoever started the tool may have left it */
	status = run("sh -c 'exit 3'");
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	CHECK(child_start("/nonexistent/command", CHILD_INHERITS, &child) == -ENOENT);
	CHECK(child_start("no-such-command-in-path x", CHILD_INHERITS, &child) == -ENOENT);
	CHECK(child_start("/etc/passwd", CHILD_INHERITS, &child) == -EACCES);
	CHECK(child_start("/tmp", CHILD_INHERITS, &child) == -EACCES);
	CHECK(child_start("''", CHILD_INHERITS, &child) == -ENOENT);
	CHECK(child_start("a 'b", CHILD_INHERITS, &child) == -EINVAL);
	CHECK(child.pid == -7);
	/* none of the failed ones is left */
	CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

static void test_arguments(void)
{
	char command[512], text[256], long_word[200];
	int err;

	memset(long_word, 'x', sizeof(long_word) - 1);
	long_word[sizeof(long_word) - 1] = '\0';
	snprintf(command, sizeof(command),
		 "sh -c 'printf \"<%%s>\" \"$@\" >%s/args' sh 'two words' \"\" a\\ b %s", dir,
		 long_word);
	err = run(command);
	CHECK(err == 0);
	slurp("args", text, sizeof(text));
	CHECK(!strncmp(text, "<two words><><a b><xxx", 22));
	CHECK(strlen(text) == 19 + sizeof(long_word) - 1 + 1);
}

/* The command is found in the PATH of the test, not in a default one. */
static void test_path(void)
{
	char path[600], *old = strdup(getenv("PATH"));
	FILE *script;
	int status;

	snprintf(path, sizeof(path), "%s/own command", dir);
	script = fopen(path, "w");
	fprintf(script, "#!/bin/sh\nexit $1\n");
	fclose(script);
	chmod(path, 0755);
	snprintf(path, sizeof(path), "%s:%s", dir, old);
	setenv("PATH", path, 1);
	status = run("'own command' 7");
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	setenv("PATH", old, 1);
	free(old);
}

static void test_nothing_inherited(void)
{
	char command[512], text[4096];
	int fd = open("/dev/null", O_RDONLY), high = fcntl(fd, F_DUPFD, 200);
	sigset_t all, before;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	signal(SIGPIPE, SIG_IGN);
	/* ls has the directory itself open: descriptor 3 */
	snprintf(command, sizeof(command), "sh -c 'ls /proc/self/fd >%s/fds'", dir);
	CHECK(run(command) == 0);
	/* without a shell, which would unblock signals itself */
	snprintf(command, sizeof(command), "cp /proc/self/status %s/signals", dir);
	CHECK(run(command) == 0);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(fd);
	close(high);
	slurp("fds", text, sizeof(text));
	CHECK(!strcmp(text, "0\n1\n2\n3\n"));
	slurp("signals", text, sizeof(text));
	CHECK(strstr(text, "SigBlk:\t0000000000000000"));
	CHECK(strstr(text, "SigIgn:\t") &&
	      !(strtoull(strstr(text, "SigIgn:\t") + 8, NULL, 16) >> (SIGPIPE - 1) & 1));
}

static bool maps_have(pid_t pid, const char *name)
{
	char path[64], line[512];
	bool found = false;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "r");
	while (maps && fgets(line, sizeof(line), maps))
		found |= strstr(line, name) != NULL;
	if (maps)
		fclose(maps);
	return found;
}

/* Stopped before the dynamic linker ran; libc appears at some step; and no step is lost. */
static void test_steps(void)
{
	struct child child;
	struct __ptrace_syscall_info info;
	int steps = 0, libc_at = -1, exits = 0, err;

	if (child_start("sh -c 'exit 5'", CHILD_INHERITS, &child)) {
		CHECK(false);
		return;
	}
	CHECK(child.traced && !child.reaped);
	CHECK(!maps_have(child.pid, "libc.so.6"));
	CHECK(maps_have(child.pid, "ld-linux"));
	while ((err = child_step(&child)) == 0) {
		steps++;
		if (ptrace(PTRACE_GET_SYSCALL_INFO, child.pid, (void *)sizeof(info), &info) > 0)
			exits += info.op == PTRACE_SYSCALL_INFO_EXIT;
		if (libc_at < 0 && maps_have(child.pid, "libc.so.6"))
			libc_at = steps;
	}
	CHECK(err == 1);
	CHECK(libc_at > 0 && libc_at < steps);
	CHECK(steps > 15 && steps < 1000 && exits == steps);
	CHECK(child.reaped && WIFEXITED(child.status) && WEXITSTATUS(child.status) == 5);
	CHECK(child_step(&child) == 1 && child_has_ended(&child) && child_release(&child) == 0);
	child_end(&child);
}

/* Its own signals reach it while it is stepped: the trap runs, then it ends by the second one. */
static void test_step_signals(void)
{
	struct child child;
	int err;

	if (child_start("sh -c 'trap \"exit 9\" USR1 TRAP; kill -TRAP $$; exit 1'", CHILD_INHERITS,
			&child)) {
		CHECK(false);
		return;
	}
	while ((err = child_step(&child)) == 0)
		;
	CHECK(err == 1 && WIFEXITED(child.status) && WEXITSTATUS(child.status) == 9);

	/* a stop on the way does not hang it */
	if (child_start("sh -c '(sleep 0.1; kill -CONT $$ 2>/dev/null) & kill -STOP $$; exit 4'",
			CHILD_INHERITS, &child)) {
		CHECK(false);
		return;
	}
	while ((err = child_step(&child)) == 0)
		;
	CHECK(err == 1 && WIFEXITED(child.status) && WEXITSTATUS(child.status) == 4);
}

/* It reads nothing from ours, and writes where it was told to. */
static void test_files(void)
{
	char path[] = "/tmp/child_test.XXXXXX", text[64] = "";
	int fd = mkstemp(path);
	struct child child;

	CHECK(fd >= 0);
	CHECK(child_start("sh -c 'cat; echo out; echo err >&2'", fd, &child) == 0);
	while (child_step(&child) == 0)
		;
	CHECK(child.reaped && WIFEXITED(child.status) && WEXITSTATUS(child.status) == 0);
	CHECK(pread(fd, text, sizeof(text) - 1, 0) == 8 && strcmp(text, "out\nerr\n") == 0);
	close(fd);
	unlink(path);
}

static void on_alarm(int signal)
{
	(void)signal;
}

/* A step that the caller's signal interrupts; the child then runs free, or is ended. */
static void test_interrupted(bool release)
{
	struct sigaction action = {.sa_handler = on_alarm}, before;
	struct child child;
	int err;

	if (child_start("sleep 0.7", CHILD_INHERITS, &child)) {
		CHECK(false);
		return;
	}
	sigaction(SIGALRM, &action, &before);
	ualarm(200000, 0);
	while ((err = child_step(&child)) == 0)
		;
	sigaction(SIGALRM, &before, NULL);
	CHECK(err == -EINTR && !child.reaped);
	CHECK(!child_has_ended(&child));
	if (release) {
		double start = now();

		CHECK(child_release(&child) == 0 && now() - start < 0.3);
		CHECK(ends_within(&child, 3));
		CHECK(WIFEXITED(child.status) && WEXITSTATUS(child.status) == 0);
	} else {
		child_end(&child);
		CHECK(child.reaped && WIFSIGNALED(child.status) &&
		      WTERMSIG(child.status) == SIGTERM);
	}
}

/* Stopped by itself here, it goes on step by step, and is not stopped any more once it is let go. */
static void test_catch(void)
{
	struct child child;
	int steps = 0, err;

	CHECK(child_start("sh -c 'kill -STOP $$; /bin/true; exit 7'", CHILD_INHERITS, &child) == 0);
	CHECK(child_release(&child) == 0);
	CHECK(child_catch(&child) == 0 && child.traced);
	CHECK(child_catch(&child) == 0); /* it is already */
	while ((err = child_step(&child)) == 0)
		steps++;
	CHECK(err == 1 && steps > 5 && WIFEXITED(child.status) && WEXITSTATUS(child.status) == 7);
	CHECK(child_catch(&child) == 1);

	CHECK(child_start("sh -c 'kill -STOP $$; exit 8'", CHILD_INHERITS, &child) == 0);
	CHECK(child_release(&child) == 0 && child_catch(&child) == 0 && child_release(&child) == 0);
	CHECK(ends_within(&child, 5) && WIFEXITED(child.status) && WEXITSTATUS(child.status) == 8);

	CHECK(child_start("sh -c 'kill -KILL $$'", CHILD_INHERITS, &child) == 0);
	CHECK(child_release(&child) == 0 && child_catch(&child) == 1 && child.reaped);
}

static void test_child_end(void)
{
	const struct timespec pause = {0, 200000000};
	struct child child;
	double start;

	CHECK(child_start("sleep 100", CHILD_INHERITS, &child) ==
	      0); /* still traced, before its first instruction */
	start = now();
	child_end(&child);
	CHECK(now() - start < 0.9);
	CHECK(child.reaped && WIFSIGNALED(child.status) && WTERMSIG(child.status) == SIGTERM);

	CHECK(child_start("sh -c 'trap \"\" TERM; while :; do sleep 0.05; done'", CHILD_INHERITS,
			  &child) == 0);
	CHECK(child_release(&child) == 0);
	nanosleep(&pause, NULL); /* time to set its trap */
	CHECK(!child_has_ended(&child));
	start = now();
	child_end(&child);
	CHECK(now() - start > 0.9 && now() - start < 3);
	CHECK(child.reaped && WIFSIGNALED(child.status) && WTERMSIG(child.status) == SIGKILL);

	CHECK(child_start("sh -c 'kill -STOP $$; exit 0'", CHILD_INHERITS, &child) == 0);
	CHECK(child_release(&child) == 0);
	nanosleep(&pause, NULL); /* stopped by now */
	CHECK(!child_has_ended(&child));
	child_end(&child);
	CHECK(child.reaped && WIFSIGNALED(child.status) && WTERMSIG(child.status) == SIGTERM);
}

/* A tool that is killed while it still traces takes the command with it. */
static void test_dies_with_tracer(void)
{
	int pipes[2], status = 0;
	pid_t tool, target = 0;
	bool gone = false;

	CHECK(pipe(pipes) == 0);
	tool = fork();
	if (tool == 0) {
		struct child child = {0};

		child_start("sleep 100", CHILD_INHERITS, &child);
		if (write(pipes[1], &child.pid, sizeof(child.pid)) > 0)
			pause();
		_exit(1);
	}
	CHECK(read(pipes[0], &target, sizeof(target)) == sizeof(target) && target > 0);
	kill(tool, SIGKILL);
	waitpid(tool, &status, 0);
	for (int i = 0; i < 200 && !gone; i++) {
		char path[64], text[512] = "";
		FILE *file;

		usleep(5000);
		snprintf(path, sizeof(path), "/proc/%d/stat", target);
		file = fopen(path, "r");
		/* gone, or a zombie where nothing reaps orphans */
		gone = !file || !fgets(text, sizeof(text), file) || strstr(text, ") Z ");
		if (file)
			fclose(file);
	}
	CHECK(gone);
	close(pipes[0]);
	close(pipes[1]);
}

int main(void)
{
	char command[64];

	if (!mkdtemp(dir))
		return 1;
	alarm(60);
	test_status();
	test_arguments();
	test_path();
	test_nothing_inherited();
	test_steps();
	test_step_signals();
	test_files();
	test_interrupted(true);
	test_interrupted(false);
	test_catch();
	test_child_end();
	test_dies_with_tracer();
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (system(command))
		return 1;
	return test_end();
}
