/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process that has children: one by fork and one by vfork and exec, which allocate a while after they began and then wait
 * for the end; and many short ones. Lines on stdin: the work, the end. No truth lines: e2e/forks.sh knows what each leaks.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include "truth.h"

enum { N_SHORT = 5, PAUSE_MS = 2500 };

FRAME void leak(unsigned int n, size_t size)
{
	for (unsigned int i = 0; i < n; i++)
		truth_keep(malloc(size));
	NO_TAIL_CALL();
}

FRAME void leak_in_parent(void)
{
	leak(5, 1000);
	NO_TAIL_CALL();
}

FRAME void leak_in_child(void)
{
	leak(7, 2000);
	NO_TAIL_CALL();
}

FRAME void leak_after_exec(void)
{
	leak(9, 3000);
	NO_TAIL_CALL();
}

static void wait_for_end(int end)
{
	char byte;

	if (read(end, &byte, 1) < 0)
		_exit(2);
	_exit(0);
}

static void start_child(const int *ends)
{
	if (fork())
		return;
	close(ends[1]);
	usleep(PAUSE_MS * 1000);
	leak_in_child();
	wait_for_end(ends[0]);
}

static void start_program(const char *self, int end)
{
	char number[16];
	pid_t pid;

	snprintf(number, sizeof(number), "%d", end);
	pid = vfork();
	if (pid == 0) {
		execl(self, self, number, NULL);
		_exit(127);
	}
}

int main(int argc, char **argv)
{
	int ends[2];

	if (argc > 1) {
		usleep(PAUSE_MS * 1000);
		leak_after_exec();
		wait_for_end(atoi(argv[1]));
	}
	if (pipe(ends) || fcntl(ends[1], F_SETFD, FD_CLOEXEC))
		return 1;
	truth_ready();
	leak_in_parent();
	start_child(ends);
	start_program(argv[0], ends[0]);
	for (int i = 0; i < N_SHORT; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
	truth_done();
	close(ends[1]);
	while (wait(NULL) > 0)
		;
	return 0;
}
