/* SPDX-License-Identifier: BSD-2-Clause */
#include "progress.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define MAX_LINE 256
#define MAX_DEPTH 4
#define FIRST_MS 500 /* before that nothing is said */
#define AGAIN_MS 200

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of all that follows */
static struct {
	struct {
		const char *what, *unit;
	} list[MAX_DEPTH]; /* the innermost is the last */
	size_t depth;	   /* of them; more are counted, and not told */
	bool runs, over;   /* the thread: is there; is to end */
	pthread_t thread;
	pthread_cond_t ends;
	char line[MAX_LINE];
	bool drawn; /* the terminal shows something */
	progress_show *show;
	void *context;
} task;

static size_t columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || size.ws_col < 2)
		return 79;
	return size.ws_col - 1U; /* a full line might wrap */
}

static void put(const char *bytes, size_t size)
{
	while (size) {
		ssize_t n = write(STDERR_FILENO, bytes, size);

		if (n <= 0)
			return;
		bytes += n;
		size -= (size_t)n;
	}
}

/* Without escape sequences: blanks over what was there. */
static void write_line(const char *line)
{
	char text[MAX_LINE + 2];
	size_t most = columns(), length = strlen(line);

	if (most > MAX_LINE)
		most = MAX_LINE;
	if (length > most)
		length = most;
	text[0] = text[most + 1] = '\r';
	memset(text + 1, ' ', most);
	memcpy(text + 1, line, length);
	put(text, most + 2);
}

static void draw(void)
{
	if (task.show) {
		task.show(task.context, task.line);
		return;
	}
	write_line(task.line);
	task.drawn = true;
}

static void erase(void)
{
	if (task.drawn)
		write_line("");
	task.drawn = false;
}

static struct timespec after_ms(unsigned int ms)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_nsec += (long)ms * 1000000;
	at.tv_sec += at.tv_nsec / 1000000000;
	at.tv_nsec %= 1000000000;
	return at;
}

static void *draw_until_end(void *unused)
{
	struct timespec next = after_ms(FIRST_MS);

	(void)unused;
	pthread_mutex_lock(&lock);
	while (!task.over) {
		if (pthread_cond_timedwait(&task.ends, &lock, &next) != ETIMEDOUT || task.over)
			continue;
		draw();
		next = after_ms(AGAIN_MS);
	}
	pthread_mutex_unlock(&lock);
	return NULL;
}

/* Without it nothing is told, which is no reason to stop. Signals are for the thread that waits for them. */
static void start_thread(void)
{
	pthread_condattr_t attributes;
	sigset_t all, before;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&task.ends, &attributes);
	pthread_condattr_destroy(&attributes);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	task.runs = pthread_create(&task.thread, NULL, draw_until_end, NULL) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

bool progress_is_told(void)
{
	return task.show || isatty(STDERR_FILENO);
}

/* What the innermost task begins with. */
static void set_line(void)
{
	pthread_mutex_lock(&lock);
	snprintf(task.line, sizeof(task.line), "%s ...", task.list[task.depth - 1].what);
	pthread_mutex_unlock(&lock);
}

void progress_begin(const char *what, const char *unit)
{
	if (task.depth++ >= MAX_DEPTH)
		return;
	task.list[task.depth - 1].what = what;
	task.list[task.depth - 1].unit = unit;
	set_line();
	if (task.depth > 1 || !progress_is_told())
		return;
	task.over = false;
	start_thread();
}

void progress_step(size_t done, size_t all)
{
	const char *what, *unit;

	if (!task.runs || task.depth > MAX_DEPTH)
		return;
	what = task.list[task.depth - 1].what;
	unit = task.list[task.depth - 1].unit;
	pthread_mutex_lock(&lock);
	if (all)
		snprintf(task.line, sizeof(task.line), "%s: %zu of %zu %s", what, done, all, unit);
	else
		snprintf(task.line, sizeof(task.line), "%s: %zu %s", what, done, unit);
	pthread_mutex_unlock(&lock);
}

void progress_say(const char *line)
{
	if (!task.runs)
		return;
	pthread_mutex_lock(&lock);
	snprintf(task.line, sizeof(task.line), "%s", line);
	for (char *c = task.line; *c; c++)
		if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
			*c = '?';
	pthread_mutex_unlock(&lock);
}

void progress_end(void)
{
	if (--task.depth && task.depth <= MAX_DEPTH)
		set_line();
	if (task.depth || !task.runs)
		return;
	pthread_mutex_lock(&lock);
	task.over = true;
	pthread_cond_signal(&task.ends);
	pthread_mutex_unlock(&lock);
	pthread_join(task.thread, NULL);
	pthread_cond_destroy(&task.ends);
	task.runs = false;
	erase();
}

void progress_hide(void)
{
	pthread_mutex_lock(&lock);
	erase();
}

void progress_return(void)
{
	pthread_mutex_unlock(&lock);
}

void progress_to(progress_show *show, void *context)
{
	task.show = show;
	task.context = context;
}
