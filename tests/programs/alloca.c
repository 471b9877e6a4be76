/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames whose size is known only at run time (alloca, variable-length array): their CFA comes from the frame pointer. */
#include <alloca.h>
#include "truth.h"

enum { ROUNDS = 40 };

FRAME void leak_under_alloca(size_t bytes)
{
	char *scratch = alloca(bytes);

	memset(truth_keep(scratch), 1, bytes);
	truth_keep(malloc(321));
	truth_keep(scratch);
}

FRAME void leak_under_array(size_t count)
{
	int scratch[count];

	memset(truth_keep(scratch), 1, sizeof(scratch));
	truth_keep(malloc(99));
	truth_keep(scratch);
}

FRAME void nest(size_t depth)
{
	char *scratch = truth_keep(alloca(depth * 100 + 16));

	if (depth > 0)
		nest(depth - 1);
	else
		leak_under_alloca(77);
	truth_keep(scratch);
}

int main(void)
{
	size_t i;

	truth_ready();
	for (i = 0; i < ROUNDS; i++) {
		leak_under_alloca(16 + i * 101);
		leak_under_array(1 + i * 37);
	}
	nest(9);
	truth((ROUNDS + 1) * 321, ROUNDS + 1, "leak_under_alloca");
	truth(ROUNDS * 99, ROUNDS, "leak_under_array");
	truth_done();
	return 0;
}
