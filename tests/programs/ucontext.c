/* SPDX-License-Identifier: BSD-2-Clause */
/* Two coroutines on stacks of their own, which switch to and fro: their call stacks end in __start_context. */
#include <ucontext.h>
#include "truth.h"

enum { ROUNDS = 20, STACK = 64 << 10 };

static ucontext_t main_context, contexts[2];
static char stacks[2][STACK];

FRAME void leak_in_first(void)
{
	truth_keep(malloc(141));
	NO_TAIL_CALL();
}

FRAME void leak_in_second(void)
{
	truth_keep(malloc(242));
	NO_TAIL_CALL();
}

static void first(void)
{
	int i;

	for (i = 0; i < ROUNDS; i++) {
		leak_in_first();
		swapcontext(&contexts[0], &contexts[1]);
	}
}

/* Called through makecontext() with an argument, switched away from inside its loop. */
static void second(int rounds)
{
	int i;

	for (i = 0; i < rounds; i++) {
		leak_in_second();
		swapcontext(&contexts[1], &contexts[0]);
	}
}

static void prepare(int i)
{
	getcontext(&contexts[i]);
	contexts[i].uc_stack.ss_sp = stacks[i];
	contexts[i].uc_stack.ss_size = STACK;
	contexts[i].uc_link = &main_context;
}

int main(void)
{
	truth_ready();
	prepare(0);
	prepare(1);
	makecontext(&contexts[0], first, 0);
	makecontext(&contexts[1], (void (*)(void))second, 1, ROUNDS);
	swapcontext(&main_context, &contexts[0]);
	truth(ROUNDS * 141, ROUNDS, "leak_in_first");
	truth(ROUNDS * 242, ROUNDS, "leak_in_second");
	truth_done();
	return 0;
}
