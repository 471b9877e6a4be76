/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Realigned stacks: locals aligned to 64 bytes together with alloca and many arguments make gcc keep the caller's stack address
 * in a register of its own (DRAP), so the CFA is an expression over a saved copy of it, and no constant from sp or fp.
 */
#include <alloca.h>
#include "truth.h"

enum { ROUNDS = 30 };

FRAME void leak_in_realigned(size_t bytes, int b, int c, int d, int e, int f, int on_stack)
{
	volatile int aligned[16] __attribute__((aligned(64)));
	char *scratch = alloca(bytes);

	memset(truth_keep(scratch), b + c + d + e + f, bytes);
	aligned[0] = on_stack;
	truth_require(((size_t)truth_keep((void *)aligned) & 63) == 0, "not aligned");
	truth_keep(malloc(444));
	aligned[1] = aligned[0] + on_stack;
	truth_keep(scratch);
}

FRAME void leak_under_realigned(void)
{
	truth_keep(malloc(55));
	NO_TAIL_CALL();
}

FRAME void realigned_caller(int depth)
{
	volatile double aligned[8] __attribute__((aligned(64)));
	char *scratch = truth_keep(alloca(depth * 24 + 1));

	aligned[0] = depth;
	if (depth > 0)
		realigned_caller(depth - 1);
	else
		leak_under_realigned();
	aligned[1] = aligned[0];
	truth_keep(scratch);
}

int main(void)
{
	int i;

	truth_ready();
	for (i = 0; i < ROUNDS; i++) {
		leak_in_realigned(1 + i * 33, 1, 2, 3, 4, 5, i);
		realigned_caller(i % 7);
	}
	truth(ROUNDS * 444, ROUNDS, "leak_in_realigned");
	truth(ROUNDS * 55, ROUNDS, "leak_under_realigned");
	truth_done();
	return 0;
}
