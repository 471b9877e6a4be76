/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * realloc and reallocarray: a block belongs to whoever allocated it last; a failed call changes nothing;
 * realloc(p, 0) frees; realloc(NULL, n) allocates.
 */
#include <stdint.h>
#include "truth.h"

/* volatile, so that the compiler neither knows the results nor warns about the sizes. */
static volatile size_t huge = PTRDIFF_MAX - 4096, zero, half = SIZE_MAX / 2,
		       top = (SIZE_MAX >> 1) + 1;

FRAME void *first_block(size_t size)
{
	void *block = truth_keep(malloc(size));

	NO_TAIL_CALL();
	return block;
}

FRAME void moving_realloc(void)
{
	void *block = first_block(100);
	uintptr_t before = (uintptr_t)block;
	void *wall = first_block(100); /* in the way */

	block = truth_keep(realloc(block, 1000000));
	truth_require((uintptr_t)block != before, "realloc did not move");
	free(wall);
}

FRAME void in_place_realloc(void)
{
	void *block = first_block(4000);
	uintptr_t before = (uintptr_t)block;

	block = truth_keep(realloc(block, 3990));
	truth_require((uintptr_t)block == before, "realloc moved");
}

FRAME void *kept_by_failure(size_t size)
{
	void *block = truth_keep(malloc(size));

	NO_TAIL_CALL();
	return block;
}

FRAME void failing_realloc(void)
{
	void *block = kept_by_failure(5000);

	truth_require(!truth_keep(realloc(block, huge)), "a huge realloc succeeded");
	block = kept_by_failure(600);
	truth_require(!truth_keep(reallocarray(block, half, 4)), "a huge reallocarray succeeded");
	block = kept_by_failure(
		70); /* the product overflows to 0: nevertheless it is no realloc(p, 0) */
	truth_require(!truth_keep(reallocarray(block, top, 2)), "a reallocarray of 2^64 succeeded");
}

FRAME void freeing_realloc(void)
{
	truth_require(!truth_keep(realloc(first_block(700), zero)),
		      "realloc(p, 0) returned a block");
}

FRAME void null_realloc(void)
{
	int i;

	for (i = 0; i < 3; i++)
		truth_keep(realloc(NULL, 2222));
	NO_TAIL_CALL();
}

FRAME void array_realloc(void)
{
	truth_keep(reallocarray(first_block(10), 30, 11));
	NO_TAIL_CALL();
}

FRAME void growing_realloc(void)
{
	void *block = NULL;
	size_t size;

	for (size = 16; size <= 65536; size *= 2)
		block = truth_keep(realloc(block, size));
}

int main(void)
{
	truth_ready();
	moving_realloc();
	in_place_realloc();
	failing_realloc();
	freeing_realloc();
	null_realloc();
	array_realloc();
	growing_realloc();
	truth(0, 0, "first_block");
	truth(1000000, 1, "moving_realloc");
	truth(3990, 1, "in_place_realloc");
	truth(5670, 3, "kept_by_failure");
	truth(0, 0, "freeing_realloc");
	truth(6666, 3, "null_realloc");
	truth(330, 1, "array_realloc");
	truth(65536, 1, "growing_realloc");
	truth_done();
	return 0;
}
