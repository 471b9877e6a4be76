/* SPDX-License-Identifier: BSD-2-Clause */
/* Leaks blocks of one size at an even pace: steady SECONDS BLOCKS_A_SECOND. */
#include <time.h>
#include "truth.h"

enum { SIZE = 32, A_SECOND = 1000 };

static unsigned long leaked;

FRAME void leak_evenly(unsigned long count)
{
	leaked += count;
	while (count--)
		truth_keep(malloc(SIZE));
	NO_TAIL_CALL();
}

int main(int argc, char **argv)
{
	unsigned long seconds = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
	unsigned long rate = argc > 2 ? strtoul(argv[2], NULL, 10) : 10000;
	struct timespec next;

	truth_ready();
	clock_gettime(CLOCK_MONOTONIC, &next);
	for (unsigned long i = 0; i < seconds * A_SECOND; i++) {
		leak_evenly(rate / A_SECOND);
		next.tv_nsec += 1000000000 / A_SECOND;
		if (next.tv_nsec >= 1000000000) {
			next.tv_nsec -= 1000000000;
			next.tv_sec++;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
	truth(leaked * SIZE, leaked, "leak_evenly");
	truth_done();
	return 0;
}
