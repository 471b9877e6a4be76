/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves of the stacks that were seen: equal ones of one owner are kept once under many ids, those of two owners apart; ids of events
 * are forgotten when nobody asked for them for a round, ids of the kernel's hash never; and that memory does not
 * grow with the number of events.
 */
#include <malloc.h>
#include <string.h>

#include "../test.h"
#include "bpf/stacks.h"

static struct dwunw_frame frames[3] = {{.pc = 1}, {.pc = 2}, {.pc = 3}};

static int add(struct stacks *stacks, int64_t id, uint64_t owner, uint64_t pc)
{
	struct dwunw_stack stack = {.n_frames = 3, .frames = frames};

	frames[1].pc = pc;
	return stacks_add(stacks, id, owner, &stack);
}

static void equal_stacks(struct stacks *stacks)
{
	CHECK(add(stacks, 1, 7, 10) == 0 && add(stacks, 2, 7, 10) == 0);
	CHECK(add(stacks, DWUNW_ID_EVENT | 1, 7, 10) == 0);
	CHECK(add(stacks, 3, 8, 10) == 0 && add(stacks, 4, 7, 11) == 0);
	CHECK(stacks_find(stacks, 1) && stacks_find(stacks, 1) == stacks_find(stacks, 2));
	CHECK(stacks_find(stacks, DWUNW_ID_EVENT | 1) == stacks_find(stacks, 1));
	CHECK(stacks_find(stacks, 3) != stacks_find(stacks, 1));
	CHECK(stacks_find(stacks, 4) != stacks_find(stacks, 1));
	CHECK(stacks_find(stacks, 4)->frames[1].pc == 11);
	CHECK(stacks_find(stacks, 3)->index != stacks_find(stacks, 1)->index);
	CHECK(!stacks_find(stacks, 5));
	/* told again: stays as it is */
	CHECK(add(stacks, 4, 7, 12) == 0 && stacks_find(stacks, 4)->frames[1].pc == 11);
}

static void forgetting(struct stacks *stacks)
{
	CHECK(add(stacks, DWUNW_ID_EVENT | 2, 7, 20) == 0 &&
	      add(stacks, DWUNW_ID_EVENT | 3, 7, 21) == 0);
	CHECK(stacks_forget_unused(stacks) == 0); /* both were added since the last time */
	CHECK(stacks_find(stacks, DWUNW_ID_EVENT | 2));
	CHECK(stacks_forget_unused(stacks) == 0);
	CHECK(stacks_find(stacks, DWUNW_ID_EVENT | 2));
	CHECK(!stacks_find(stacks, DWUNW_ID_EVENT | 3));
	CHECK(stacks_find(stacks, 1) && stacks_find(stacks, 4));
}

static void many_events(struct stacks *stacks)
{
	size_t before = 0;
	uint32_t highest = 0;

	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < 2000; i++)
			add(stacks, DWUNW_ID_EVENT | (1000 + round * 2000 + i), 7,
			    1000000 + round * 2000 + i);
		highest = stacks_find(stacks, DWUNW_ID_EVENT | (1000 + round * 2000))->index;
		CHECK(stacks_forget_unused(stacks) == 0);
		if (round == 10)
			before = mallinfo2().uordblks;
	}
	/* all zero under a sanitizer */
	CHECK(mallinfo2().uordblks <= before * 3 / 2);
	CHECK(highest < 10000); /* indices are used again */
	CHECK(stacks_find(stacks, 4)->frames[1].pc == 11);
}

int main(void)
{
	struct stacks *stacks;

	if (stacks_create(&stacks))
		return 1;
	equal_stacks(stacks);
	forgetting(stacks);
	many_events(stacks);
	stacks_destroy(stacks);
	return test_end();
}
