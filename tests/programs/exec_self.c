/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exec and fork: blocks of the image before exec are gone with it; a child that is forked, and allocates and frees on its own,
 * changes nothing. Every address of the second image is looked up in its own tables.
 */
#include <sys/wait.h>
#include "truth.h"

enum { BLOCKS = 30 };

FRAME void leak_before_exec(void)
{
	truth_keep(malloc(5000));
	NO_TAIL_CALL();
}

FRAME void leak_after_exec(void)
{
	truth_keep(malloc(300));
	NO_TAIL_CALL();
}

FRAME void leak_before_fork(void)
{
	truth_keep(malloc(70));
	NO_TAIL_CALL();
}

/* What a child frees and leaks is its own. */
static void fork_child(void *block)
{
	pid_t child = fork();

	truth_require(child >= 0, "fork");
	if (child == 0) {
		free(block);
		truth_keep(malloc(9999));
		_exit(0);
	}
	truth_require(waitpid(child, NULL, 0) == child, "waitpid");
}

static void second_image(void)
{
	unsigned int i;

	for (i = 0; i < BLOCKS; i++)
		leak_after_exec();
	for (i = 0; i < BLOCKS; i++)
		leak_before_fork();
	fork_child(NULL);
	truth(0, 0, "leak_before_exec");
	truth(300 * BLOCKS, BLOCKS, "leak_after_exec");
	truth(70 * BLOCKS, BLOCKS, "leak_before_fork");
	truth_done();
}

int main(int argc, char **argv)
{
	unsigned int i;

	if (argc > 1) {
		second_image();
		return 0;
	}
	truth_ready();
	for (i = 0; i < BLOCKS; i++)
		leak_before_exec();
	fork_child(truth_keep(malloc(11)));
	execl(argv[0], argv[0], "again", (char *)NULL);
	truth_require(0, "exec");
	return 1;
}
