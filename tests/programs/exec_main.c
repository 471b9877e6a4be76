/* SPDX-License-Identifier: BSD-2-Clause */
/* exec by a thread that has never allocated anything: the blocks of the others are gone all the same. */
#include <pthread.h>
#include "truth.h"

enum { BLOCKS = 100 };

static int go[2], gone[2]; /* pipes */

FRAME void *leak_in_thread(void *unused)
{
	unsigned int i;
	char c;

	truth_require(read(go[0], &c, 1) == 1, "read");
	for (i = 0; i < BLOCKS; i++)
		truth_keep(malloc(1000));
	truth_require(write(gone[1], &c, 1) == 1, "write");
	truth_require(read(go[0], &c, 1) < 0, "for ever: exec ends it");
	return unused;
}

FRAME void leak_after_exec(void)
{
	truth_keep(malloc(200));
	NO_TAIL_CALL();
}

int main(int argc, char **argv)
{
	pthread_t thread;
	char c = 0;

	if (argc > 1) {
		leak_after_exec();
		truth(0, 0, "leak_in_thread");
		truth(200, 1, "leak_after_exec");
		truth_done();
		return 0;
	}
	truth_require(pipe(go) == 0 && pipe(gone) == 0, "pipe");
	/* before `ready`, so that main allocates nothing afterwards */
	truth_require(!pthread_create(&thread, NULL, leak_in_thread, NULL), "pthread_create");
	truth_ready();
	truth_require(write(go[1], &c, 1) == 1 && read(gone[0], &c, 1) == 1, "the thread");
	execl(argv[0], argv[0], "again", (char *)NULL);
	truth_require(0, "exec");
	return 1;
}
