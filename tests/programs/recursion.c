/* SPDX-License-Identifier: BSD-2-Clause */
/* recursion [DEPTH]: a leak at the bottom of DEPTH (150) calls of recurse(): main, DEPTH times recurse, leak_at_bottom. */
#include "truth.h"

enum { BLOCKS = 12 };

FRAME void leak_at_bottom(void)
{
	truth_keep(malloc(1212));
	NO_TAIL_CALL();
}

FRAME void recurse(unsigned long depth)
{
	if (depth > 1)
		recurse(depth - 1);
	else
		leak_at_bottom();
	NO_TAIL_CALL();
}

int main(int argc, char **argv)
{
	unsigned long depth = argc > 1 ? strtoul(argv[1], NULL, 10) : 150;
	int i;

	truth_ready();
	for (i = 0; i < BLOCKS; i++)
		recurse(depth);
	truth(BLOCKS * 1212, BLOCKS, "leak_at_bottom");
	truth_done();
	return 0;
}
