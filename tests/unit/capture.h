/* SPDX-License-Identifier: BSD-2-Clause */
/* Targets for tests of dwunw_capture(): forked, they share their functions' addresses with the test. */
#ifndef CAPTURE_H
#define CAPTURE_H

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <dwunw/dwunw.h>

#include "../test.h"

#define MAX_FRAMES 64

/* What a target tells the test. */
struct shared {
	volatile int ready; /* threads that have come to where they are to be looked at */
	volatile int result;
	volatile uint64_t counter;
	volatile pid_t tid;
};

static struct shared *shared;
static struct dwunw_context *context;
static struct dwunw_frame frames[MAX_FRAMES];

static inline void pause_ms(long ms)
{
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static inline double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static inline void setup(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED || dwunw_context_create(NULL, &context)) {
		perror("setup");
		exit(1);
	}
	alarm(50); /* a target that hangs must not hang the test */
}

/* Runs `function` in a child, and waits until `ready` of its threads have said so. */
static inline pid_t start(void (*function)(void), int ready)
{
	pid_t pid;

	memset((void *)shared, 0, sizeof(*shared));
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		function();
		_exit(0);
	}
	for (int i = 0; shared->ready < ready && i < 5000; i++)
		pause_ms(1);
	pause_ms(2); /* from saying so to sleeping */
	return pid;
}

static inline int end(pid_t pid)
{
	int status = -1;

	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return status;
}

/* The exit status of a target that ends by itself. */
static inline int wait_exit(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static inline char state_of(pid_t pid)
{
	char path[64], state = '?';
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "r");
	if (!file)
		return '?';
	if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		state = '?';
	fclose(file);
	return state;
}

/* Fails unless the state is reached within a second. */
static inline bool reaches_state(pid_t pid, char state)
{
	for (int i = 0; i < 1000 && state_of(pid) != state; i++)
		pause_ms(1);
	return state_of(pid) == state;
}

static inline int capture(pid_t pid, pid_t tid, struct dwunw_unwind_result *result)
{
	struct dwunw_unwind_request request = {
		.size = sizeof(request),
		.pid = pid,
		.tid = tid,
		.frames = frames,
		.max_frames = MAX_FRAMES,
	};

	return dwunw_capture(context, &request, result);
}

/* A stack of three functions of the test above whatever `innermost` calls. */
static void (*innermost)(void);

static __attribute__((noinline)) void level_3(void)
{
	volatile char room[5000] = {0};

	innermost();
	room[1] = room[0];
}

static __attribute__((noinline)) void level_2(void)
{
	level_3();
	__asm__ volatile("" ::: "memory");
}

static __attribute__((noinline)) void level_1(void)
{
	level_2();
	__asm__ volatile("" ::: "memory");
}

/* Which of the three functions pc is in: the one that begins nearest below it. */
static inline int level_of(uint64_t pc)
{
	const uintptr_t starts[] = {0, (uintptr_t)level_1, (uintptr_t)level_2, (uintptr_t)level_3};
	int level = 0;

	for (int i = 1; i <= 3; i++)
		if (pc >= starts[i] && pc - starts[i] < 2048 && starts[i] > starts[level])
			level = i;
	return level;
}

/* Whether level_3, level_2 and level_1 follow one another on the captured stack. */
static inline bool has_levels(size_t n)
{
	for (size_t i = 0; i + 3 <= n; i++)
		if (level_of(frames[i].pc) == 3 && level_of(frames[i + 1].pc) == 2 &&
		    level_of(frames[i + 2].pc) == 1)
			return true;
	return false;
}

static inline void sleep_long(void)
{
	shared->ready++;
	sleep(1000);
}

static inline void sleep_deep(void)
{
	innermost = sleep_long;
	level_1();
}

#endif
