/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocation inside a callback that the C library calls; qsort of an array this large also has a block of its own, which it frees. */
#include "truth.h"

enum { ITEMS = 700, SIZE = 123 };

static int items[ITEMS];
static size_t compares;

FRAME int compare_leaking(const void *a, const void *b)
{
	compares++;
	truth_keep(malloc(SIZE));
	NO_TAIL_CALL();
	return *(const int *)a - *(const int *)b;
}

FRAME void sort_items(void)
{
	qsort(items, ITEMS, sizeof(items[0]), compare_leaking);
	NO_TAIL_CALL();
}

int main(void)
{
	int i;

	for (i = 0; i < ITEMS; i++)
		items[i] = i * 7919 % ITEMS;
	truth_ready();
	sort_items();
	truth(compares * SIZE, compares, "compare_leaking");
	truth_done();
	return 0;
}
