/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happens between the entry of malloc and its return: a fork, whose child returns from it too, ends or becomes another program
 * there; the end of a thread; at last the end of the process. The allocator is allocator_lib.so, beside this program: attach with -O
 * to it.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <sys/wait.h>
#include "truth.h"

enum { ROUNDS = 10 };

static void *(*lib_malloc)(size_t size);
static void (*set_hook)(void (*hook)(void));
static pid_t child;

static void fork_inside(void)
{
	child = fork();
}

static void fork_and_exit(void)
{
	child = fork();
	if (child == 0)
		_exit(0);
}

static void fork_and_exec(void)
{
	child = fork();
	if (child == 0)
		execlp("true", "true", NULL);
}

static void end_thread(void)
{
	pthread_exit(NULL);
}

static void end_process(void)
{
	_exit(0);
}

/* Ours is kept, the child's copy of it is no block of ours. */
FRAME void leak_with_fork(void (*hook)(void))
{
	set_hook(hook);
	truth_keep(lib_malloc(300));
	if (child == 0)
		_exit(0);
	set_hook(NULL);
	truth_require(waitpid(child, NULL, 0) == child, "waitpid");
}

FRAME void *abandoned_by_thread(void *unused)
{
	truth_keep(lib_malloc(7777));
	return unused;
}

FRAME void leak_afterwards(void)
{
	truth_keep(lib_malloc(500));
	NO_TAIL_CALL();
}

static void end_thread_inside(void)
{
	pthread_t thread;

	set_hook(end_thread);
	truth_require(pthread_create(&thread, NULL, abandoned_by_thread, NULL) == 0, "thread");
	pthread_join(thread, NULL);
	set_hook(NULL);
}

int main(int argc, char **argv)
{
	char path[4096];
	void *lib;

	truth_require(argc > 0, "no name");
	truth_beside(argv[0], "allocator_lib.so", path, sizeof(path));
	lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	truth_require(lib != NULL, "dlopen");
	lib_malloc = (void *(*)(size_t))dlsym(lib, "malloc");
	set_hook = (void (*)(void (*)(void)))dlsym(lib, "allocator_set_hook");
	truth_ready();
	for (int i = 0; i < ROUNDS; i++) {
		leak_with_fork(fork_inside);
		leak_with_fork(fork_and_exit);
		leak_with_fork(fork_and_exec);
		end_thread_inside();
		leak_afterwards();
	}
	truth(3 * ROUNDS * 300, 3 * ROUNDS, "leak_with_fork");
	truth(0, 0, "abandoned_by_thread");
	truth(ROUNDS * 500, ROUNDS, "leak_afterwards");
	truth_done();
	set_hook(end_process);
	lib_malloc(1);
	return 1;
}
