/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves of which process a block is said to be where children come and go: not of one that has ended and been reported, not of
 * the image before an exec, and, where two had the same number one after the other, of the one that had begun when it was allocated.
 */
#include "../test.h"
#include "collect.h"
#include "memleak_dwunw_events.h"

enum { PARENT = 100, CHILD = 101, FIRST_BEGAN = 1000, SECOND_BEGAN = 2000, NONE = 99 };

static uint32_t tgids[3];
static uint64_t images[3];
static struct collect_target targets[3];

static uint64_t image_of(uint32_t tgid, uint32_t exec_id)
{
	return (uint64_t)tgid << 32 | exec_id;
}

/* A parent and two children, of which the second has the number of the first, in another place or in the same. */
static void begin(unsigned int first, unsigned int second)
{
	for (unsigned int i = 0; i < 3; i++) {
		tgids[i] = 0;
		images[i] = 0;
		targets[i] = (struct collect_target){
			.gone = true, .tgid = &tgids[i], .image = &images[i]};
	}
	tgids[0] = PARENT;
	targets[0].gone = false;
	tgids[first] = CHILD;
	targets[first].gone = false;
	targets[first].started_ns = FIRST_BEGAN;
	if (!second)
		return;
	tgids[second] = CHILD;
	targets[second].gone = false;
	targets[second].started_ns = SECOND_BEGAN;
}

static unsigned int owner(uint32_t tgid, uint32_t exec_id, uint64_t time_ns)
{
	unsigned int ret = NONE;

	return collect_find_target(targets, 3, image_of(tgid, exec_id), time_ns, &ret) ? ret : NONE;
}

static void test_one(void)
{
	begin(1, 0);
	CHECK(owner(PARENT, 0, 1) == 0);
	CHECK(owner(PARENT, 0, 5000) == 0);
	CHECK(owner(CHILD, 0, FIRST_BEGAN) == 1);
	CHECK(owner(CHILD, 0, FIRST_BEGAN - 1) == NONE); /* of a stranger */
	CHECK(owner(CHILD + 1, 0, 5000) == NONE);
	targets[1].gone = true;
	CHECK(owner(CHILD, 0, 5000) == NONE);
}

static void test_exec(void)
{
	begin(1, 0);
	images[1] = image_of(CHILD, 7);
	CHECK(owner(CHILD, 7, 5000) == 1);
	CHECK(owner(CHILD, 6, 5000) == NONE);
}

static void test_reuse(void)
{
	for (unsigned int first = 1; first <= 2; first++) {
		begin(first, 3 - first);
		CHECK(owner(CHILD, 0, FIRST_BEGAN + 1) == first);
		CHECK(owner(CHILD, 0, SECOND_BEGAN - 1) == first);
		CHECK(owner(CHILD, 0, SECOND_BEGAN) == 3 - first);
		CHECK(owner(CHILD, 0, SECOND_BEGAN + 1) == 3 - first);
		images[first] =
			image_of(CHILD, 3); /* what the first one called is nothing to the second */
		CHECK(owner(CHILD, 0, SECOND_BEGAN) == 3 - first);
	}
	/* the first one's place is free again, or is the second one's */
	begin(1, 0);
	targets[1].started_ns = SECOND_BEGAN;
	CHECK(owner(CHILD, 0, SECOND_BEGAN - 1) == NONE);
	CHECK(owner(CHILD, 0, SECOND_BEGAN) == 1);
}

int main(void)
{
	test_one();
	test_exec();
	test_reuse();
	return test_end();
}
