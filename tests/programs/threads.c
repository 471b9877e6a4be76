/* SPDX-License-Identifier: BSD-2-Clause */
/* Eight threads at once; the very first malloc of each, inside which the C library maps an arena, and 100 more leak. */
#include "threads.h"

enum { THREADS = 8, BLOCKS = 100, SIZE = 505 };

FRAME void leak_first(void)
{
	truth_keep(malloc(4321));
	NO_TAIL_CALL();
}

FRAME void leak_in_thread(void)
{
	int i;

	for (i = 0; i < BLOCKS; i++)
		truth_keep(malloc(SIZE));
	NO_TAIL_CALL();
}

static void *thread_main(void *unused)
{
	pthread_barrier_wait(&threads_together);
	leak_first();
	leak_in_thread();
	return unused;
}

int main(void)
{
	threads_prepare(THREADS);
	truth_ready();
	threads_run(THREADS, thread_main);
	truth(THREADS * 4321, THREADS, "leak_first");
	truth(THREADS * BLOCKS * SIZE, THREADS * BLOCKS, "leak_in_thread");
	truth_done();
	return 0;
}
