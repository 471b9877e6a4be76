/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many blocks for the statistics of sampling, by four threads: each function leaks blocks of one size, or nothing. grow() and keep()
 * also call realloc, which succeeds, or cannot.
 */
#include <stdint.h>
#include "threads.h"

enum { THREADS = 4 };

static void leak(size_t size, unsigned int count)
{
	while (count--)
		truth_keep(malloc(size));
}

FRAME void leak_small(void)
{
	leak(24, 30000);
	NO_TAIL_CALL();
}

FRAME void leak_middle(void)
{
	leak(1000, 5000);
	NO_TAIL_CALL();
}

FRAME void leak_large(void)
{
	leak(100000, 50);
	NO_TAIL_CALL();
}

FRAME void grow(void)
{
	for (unsigned int i = 0; i < 6000; i++)
		truth_keep(realloc(truth_keep(malloc(40)), 400));
}

FRAME void keep(void)
{
	for (unsigned int i = 0; i < 5000; i++) {
		volatile size_t too_much = PTRDIFF_MAX;
		void *block = truth_keep(malloc(64));

		truth_require(!realloc(block, too_much), "a realloc that fails");
	}
}

FRAME void free_all(void)
{
	for (unsigned int i = 0; i < 6000; i++)
		free(truth_keep(malloc(500)));
}

static void *work(void *argument)
{
	leak_small();
	leak_middle();
	leak_large();
	grow();
	keep();
	free_all();
	return argument;
}

int main(void)
{
	threads_prepare(THREADS);
	truth_ready();
	threads_run(THREADS, work);
	truth(THREADS * 30000 * 24, THREADS * 30000, "leak_small");
	truth(THREADS * 5000 * 1000, THREADS * 5000, "leak_middle");
	truth(THREADS * 50 * 100000, THREADS * 50, "leak_large");
	truth(THREADS * 6000 * 400, THREADS * 6000, "grow");
	truth(THREADS * 5000 * 64, THREADS * 5000, "keep");
	truth(0, 0, "free_all");
	truth_done();
	return 0;
}
