/* SPDX-License-Identifier: BSD-2-Clause */
/* exec by another thread than the first: the process keeps its number, and loses all that was attached to its first thread. */
#include <pthread.h>
#include "truth.h"

enum { BLOCKS = 30 };

static char **arguments;

FRAME void leak_in_first(void)
{
	truth_keep(malloc(5000));
	NO_TAIL_CALL();
}

FRAME void leak_in_second(void)
{
	truth_keep(malloc(300));
	NO_TAIL_CALL();
}

static void *exec_again(void *unused)
{
	leak_in_first();
	execl(arguments[0], arguments[0], "again", (char *)NULL);
	truth_require(0, "exec");
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	unsigned int i;

	arguments = argv;
	truth_ready();
	if (argc > 1) {
		for (i = 0; i < BLOCKS; i++)
			leak_in_second();
		truth(0, 0, "leak_in_first");
		truth(300 * BLOCKS, BLOCKS, "leak_in_second");
		truth_done();
		return 0;
	}
	leak_in_first();
	truth_require(!pthread_create(&thread, NULL, exec_again, NULL), "pthread_create");
	pthread_join(thread, NULL);
	return 1;
}
