/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves: over random calls of the mmap family, some of which fail after they have taken a range away, the ledger holds, byte for byte, what
 * an array with one entry for each byte of the address space holds; no two blocks overlap, and the parts of a block that are whole again
 * are one. Ranges that wrap round, or are empty, change nothing. A million neighbours, from either end, take no noticeable time.
 */
#include "mappings_ledger.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../test.h"

enum { PAGE = 16, PAGES = 64, BYTES = PAGE * PAGES, TIDS = 3, ROUNDS = 200, CALLS = 300 };

/* Whose each byte is: the number of a call; 0: nobody's. */
struct model {
	uint32_t owners[BYTES];
	uint32_t taken[TIDS][BYTES];
};

static uint32_t random_below(uint32_t n)
{
	return (uint32_t)random() % n;
}

static size_t up(size_t size)
{
	return (size + PAGE - 1) / PAGE * PAGE;
}

/* From `start` on, which is anywhere in a page, for all of the last page. */
static void model_clear(struct model *model, size_t start, size_t size, uint32_t *taken)
{
	size_t first = start / PAGE * PAGE, end = up(start + size);

	for (size_t i = first; size && i < end && i < BYTES; i++) {
		if (taken)
			taken[i] = model->owners[i];
		model->owners[i] = 0;
	}
}

static void model_restore(struct model *model, uint32_t *taken)
{
	for (size_t page = 0; page < BYTES; page += PAGE) {
		bool used = false;

		for (size_t i = page; i < page + PAGE; i++)
			used |= model->owners[i] != 0;
		for (size_t i = page; i < page + PAGE && !used; i++)
			model->owners[i] = taken[i];
	}
	memset(taken, 0, BYTES * sizeof(*taken));
}

struct seen {
	uint32_t owners[BYTES];
	uint64_t last_end;
	uint32_t last_owner;
	bool bad;
};

static int see(const struct mappings_block *block, void *arg)
{
	struct seen *seen = arg;

	if (block->start < seen->last_end || block->end <= block->start || block->end > BYTES ||
	    block->stack_id != -(int64_t)block->time_ns ||
	    (block->start == seen->last_end && block->time_ns == seen->last_owner)) {
		seen->bad = true;
		return 1;
	}
	for (uint64_t i = block->start; i < block->end; i++)
		seen->owners[i] = (uint32_t)block->time_ns;
	seen->last_end = block->end;
	seen->last_owner = (uint32_t)block->time_ns;
	return 0;
}

static bool agrees(const struct mappings_ledger *ledger, const struct model *model)
{
	struct seen seen = {};

	return mappings_ledger_for_each(ledger, see, &seen) == 0 && !seen.bad &&
	       memcmp(seen.owners, model->owners, sizeof(seen.owners)) == 0;
}

/* One random call of both; false: they differ. */
static bool one_call(struct mappings_ledger *ledger, struct model *model, uint32_t number)
{
	uint32_t tid = random_below(TIDS), *taken = model->taken[tid];
	size_t start = random_below(PAGES) * PAGE, size = random_below(BYTES - (uint32_t)start) + 1;
	struct mappings_block block = {start, 0, number, -(int64_t)number};
	int err = 0;

	if (random_below(3))
		size = size % (5 * PAGE) + 1;
	if (start + size > BYTES)
		size = BYTES - start;
	switch (random_below(5)) {
	case 0:
	case 1:
		err = mappings_ledger_map(ledger, &(struct mappings_block){start, start + size,
									   number, block.stack_id});
		model_clear(model, start, size, NULL);
		for (size_t i = start; i < start + size; i++)
			model->owners[i] = number;
		break;
	case 2:
		err = mappings_ledger_unmap(ledger, start, size);
		model_clear(model, start, size, NULL);
		break;
	case 3:
		err = mappings_ledger_take(ledger, tid, start, size);
		memset(taken, 0, BYTES * sizeof(*taken));
		model_clear(model, start, size, taken);
		break;
	case 4:
		err = mappings_ledger_restore(ledger, tid);
		model_restore(model, taken);
		break;
	}
	return !err && agrees(ledger, model);
}

static void test_random(void)
{
	for (unsigned int round = 0; round < ROUNDS; round++) {
		static struct model model;
		struct mappings_ledger *ledger;
		bool good = true;

		memset(&model, 0, sizeof(model));
		srandom(round);
		CHECK(mappings_ledger_create(PAGE, &ledger) == 0);
		for (uint32_t i = 1; i <= CALLS && good; i++)
			good = one_call(ledger, &model, i);
		CHECK(good);
		mappings_ledger_clear(ledger);
		memset(model.owners, 0, sizeof(model.owners));
		CHECK(agrees(ledger, &model));
		CHECK(mappings_ledger_restore(ledger, 0) == 0 && agrees(ledger, &model));
		mappings_ledger_destroy(ledger);
	}
}

static int count(const struct mappings_block *block, void *arg)
{
	size_t *n = arg;

	(void)block;
	++*n;
	return 0;
}

static void test_absurd(void)
{
	struct mappings_ledger *ledger;
	size_t n = 0;

	CHECK(mappings_ledger_create(4096, &ledger) == 0);
	CHECK(mappings_ledger_map(ledger, &(struct mappings_block){4096, 8192, 1, 1}) == 0);
	CHECK(mappings_ledger_map(ledger, &(struct mappings_block){8192, 8192, 1, 1}) == -EINVAL);
	CHECK(mappings_ledger_map(ledger, &(struct mappings_block){8192, 4096, 1, 1}) == -EINVAL);
	CHECK(mappings_ledger_map(ledger, &(struct mappings_block){UINT64_MAX - 9, UINT64_MAX, 1,
								   1}) == -EINVAL);
	CHECK(mappings_ledger_unmap(ledger, 4096, UINT64_MAX) == -EINVAL);
	CHECK(mappings_ledger_unmap(ledger, 4096, 0) == 0);
	CHECK(mappings_ledger_take(ledger, 1, 4097, UINT64_MAX - 4097) == -EINVAL);
	CHECK(mappings_ledger_restore(ledger, 7) == 0);
	mappings_ledger_for_each(ledger, count, &n);
	CHECK(n == 1);
	/* more threads than are remembered: the first one's range does not come back */
	for (uint32_t tid = 0; tid < 1025; tid++) {
		uint64_t start = (tid + 1) * 4096ULL;

		CHECK(mappings_ledger_map(
			      ledger, &(struct mappings_block){start, start + 1, tid + 1, 1}) == 0);
		CHECK(mappings_ledger_take(ledger, tid, start, 1) == 0);
	}
	for (uint32_t tid = 0; tid < 1025; tid++)
		mappings_ledger_restore(ledger, tid);
	n = 0;
	mappings_ledger_for_each(ledger, count, &n);
	CHECK(n == 1024);
	mappings_ledger_destroy(ledger);
}

/* As programs map: downwards; and upwards. The test's time limit is what would notice. */
static void test_many(void)
{
	enum { N = 1000000 };
	struct mappings_ledger *ledger;
	size_t n = 0;

	CHECK(mappings_ledger_create(4096, &ledger) == 0);
	for (uint64_t i = 1; i <= N; i++) {
		uint64_t start = (i & 1 ? 2 * N - i : 2 * N + i) * 4096;

		mappings_ledger_map(ledger, &(struct mappings_block){start, start + 4096, i, 1});
	}
	mappings_ledger_for_each(ledger, count, &n);
	CHECK(n == N);
	CHECK(mappings_ledger_unmap(ledger, 0, 1ULL << 47) == 0);
	n = 0;
	mappings_ledger_for_each(ledger, count, &n);
	CHECK(n == 0);
	mappings_ledger_destroy(ledger);
}

int main(void)
{
	test_random();
	test_absurd();
	test_many();
	return test_end();
}
