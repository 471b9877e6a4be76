/* SPDX-License-Identifier: BSD-2-Clause */
/* calloc: the product of its arguments counts; an overflowing product, and one that is merely too large, is no block. */
#include <stdint.h>
#include "truth.h"

static volatile size_t half = SIZE_MAX / 2, huge = PTRDIFF_MAX / 16;

FRAME void leak_calloc(void)
{
	int i;

	for (i = 0; i < 50; i++)
		truth_keep(calloc(13, 77));
	NO_TAIL_CALL();
}

FRAME void freed_calloc(void)
{
	int i;

	for (i = 0; i < 50; i++)
		free(truth_keep(calloc(i + 1, 1000)));
	NO_TAIL_CALL();
}

FRAME void failing_calloc(void)
{
	truth_require(!truth_keep(calloc(half, 4)), "an overflowing calloc succeeded");
	truth_require(!truth_keep(calloc(half + 2, 2)), "a calloc that overflows to 2 succeeded");
	truth_require(!truth_keep(calloc(huge, 16)), "a huge calloc succeeded");
}

int main(void)
{
	truth_ready();
	leak_calloc();
	freed_calloc();
	failing_calloc();
	truth(50 * 13 * 77, 50, "leak_calloc");
	truth(0, 0, "freed_calloc");
	truth(0, 0, "failing_calloc");
	truth_done();
	return 0;
}
