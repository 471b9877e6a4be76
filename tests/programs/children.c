/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * children N [namespace]: forks N children, which allocate when they are told to and then wait for the end. `namespace`: in a PID namespace of their
 * own. Lines on stdin: the forks, the children's work, the end. Prints `forked` after the first. No truth lines: e2e/children.sh knows.
 */
#include <sched.h>
#include <sys/wait.h>
#include "truth.h"

enum { BLOCKS = 3, SIZE = 1500 };

FRAME void leak_in_child(void)
{
	for (int i = 0; i < BLOCKS; i++)
		truth_keep(malloc(SIZE));
	NO_TAIL_CALL();
}

/* Waits until the other end of the pipe is closed. */
static void wait_for(const int *ends)
{
	char byte;

	close(ends[1]);
	if (read(ends[0], &byte, 1) < 0)
		_exit(2);
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 0, work[2], end[2];

	if (pipe(work) || pipe(end))
		return 1;
	truth_ready();
	if (argc > 2 && unshare(CLONE_NEWPID))
		return 1;
	for (int i = 0; i < n; i++) {
		if (fork())
			continue;
		close(end[1]);
		wait_for(work);
		leak_in_child();
		wait_for(end);
		_exit(0);
	}
	truth_write("forked\n");
	truth_wait();
	close(work[1]);
	truth_done();
	close(end[1]);
	while (wait(NULL) > 0)
		;
	return 0;
}
