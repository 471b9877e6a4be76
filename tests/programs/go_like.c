/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * C that allocates, called as Go's runtime calls it (go_like_text.S): from a goroutine's stack on the thread's. No Go is needed to build it.
 */
#include "truth.h"

enum { STACK = 65536, N = 20 };

void go_start(void *thread_stack, void *goroutine_stack);

FRAME void leak_for_goroutine(void)
{
	truth_keep(malloc(1000));
	NO_TAIL_CALL();
}

FRAME void leak_on_thread_stack(void)
{
	truth_keep(malloc(300));
	NO_TAIL_CALL();
}

int main(void)
{
	static char stacks[2][STACK] __attribute__((aligned(16)));

	truth_ready();
	/* the goroutine's is above the thread's, and then below it: as it comes */
	for (int i = 0; i < N; i++)
		go_start(stacks[i & 1] + STACK, stacks[!(i & 1)] + STACK);
	truth(N * 1000, N, "leak_for_goroutine");
	truth(N * 300, N, "leak_on_thread_stack");
	truth_done();
	return 0;
}
