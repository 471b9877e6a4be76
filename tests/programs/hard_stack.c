/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is hard about stacks, for `dwunw check`: signals at any instruction, on both kinds of stacks and while system calls are
 * made again; vfork, posix_spawn; tail calls; deep recursion, large frames; jumps out of handlers; threads that do all of it
 * at once. It leaks nothing and prints nothing.
 */
#include <alloca.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <sys/time.h>
#include <sys/wait.h>
#include "truth.h"

enum { DEPTH = 1500, TICKS = 30, THREADS = 3 };

extern char **environ;
static volatile sig_atomic_t ticks;
static __thread sigjmp_buf after_fault;

FRAME unsigned int recurse(unsigned int depth)
{
	volatile unsigned int here = depth;

	return depth ? recurse(depth - 1) + here : here;
}

/* Calls in last place become jumps: the frame is the callee's. */
FRAME unsigned int tail_even(unsigned int n);
FRAME unsigned int tail_odd(unsigned int n)
{
	return n ? tail_even(n - 1) : recurse(2);
}

FRAME unsigned int tail_even(unsigned int n)
{
	return n ? tail_odd(n - 1) : recurse(3);
}

FRAME unsigned int large_frame(unsigned int n)
{
	volatile char bytes[200 << 10];

	bytes[n] = 1;
	return recurse(n) + bytes[n];
}

FRAME void on_tick(int signal)
{
	(void)signal;
	ticks++;
	recurse(3);
}

static void on_fault(int signal)
{
	(void)signal;
	siglongjmp(after_fault, 1);
}

FRAME void fault(void)
{
	int *volatile nowhere = NULL;

	if (sigsetjmp(after_fault, 1) == 0)
		*nowhere = 1;
	NO_TAIL_CALL();
}

static void handle(int signal, void (*handler)(int), int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

	sigaction(signal, &action, NULL);
}

FRAME void spawn_both(void)
{
	char *argv[] = {"true", NULL};
	pid_t pid = vfork();

	if (pid == 0) {
		execvp("true", argv);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
	if (posix_spawnp(&pid, "true", NULL, NULL, argv, environ) == 0)
		waitpid(pid, NULL, 0);
}

/* A signal comes every few thousand instructions, wherever that is. */
FRAME void work_under_ticks(int flags)
{
	struct itimerval every = {{0, 3000}, {0, 3000}}, never = {{0, 0}, {0, 0}};

	handle(SIGALRM, on_tick, flags);
	ticks = 0;
	setitimer(ITIMER_REAL, &every, NULL);
	while (ticks < TICKS) {
		char text[64];

		snprintf(text, sizeof(text), "%d %g", (int)ticks, 1.5 * ticks);
		free(truth_keep(malloc(strlen(text))));
		tail_even(5);
	}
	setitimer(ITIMER_REAL, &never, NULL);
}

/* read() and nanosleep() are interrupted, and the one made again. */
FRAME void interrupted_calls(void)
{
	struct timespec time = {0, 20000000};
	struct itimerval soon = {{0, 0}, {0, 5000}};
	int ends[2];
	char c = 0;

	truth_require(pipe(ends) == 0, "pipe");
	handle(SIGALRM, on_tick, SA_RESTART);
	setitimer(ITIMER_REAL, &soon, NULL);
	nanosleep(&time, NULL);
	truth_require(write(ends[1], &c, 1) == 1 && read(ends[0], &c, 1) == 1, "pipe");
	close(ends[0]);
	close(ends[1]);
}

static void *thread_main(void *arg)
{
	static __thread char alternate[64 << 10];
	stack_t stack = {.ss_sp = alternate, .ss_size = sizeof(alternate)};

	(void)arg;
	sigaltstack(&stack, NULL);
	for (int i = 0; i < 5; i++) {
		fault();
		raise(SIGUSR1);
		large_frame(i);
		tail_odd(i);
	}
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];

	handle(SIGSEGV, on_fault, SA_ONSTACK);
	handle(SIGUSR1, on_tick, SA_ONSTACK | SA_RESTART);
	thread_main(NULL);
	recurse(DEPTH);
	work_under_ticks(SA_RESTART);
	work_under_ticks(SA_ONSTACK);
	interrupted_calls();
	spawn_both();
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, thread_main, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
