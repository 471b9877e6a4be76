/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves: answers are found by their address, and no others; past 1,048,576 of them it says that it keeps no more, and still has those; the memory
 * that they refer to stays as it was, and is refused past 256 MiB.
 */
#include <stdint.h>

#include "../test.h"
#include "symbolize/symbol_cache.h"

#define N (1u << 20)

/* Addresses of code: close together, some far away. */
static uint64_t address(uint64_t i)
{
	return i % 3 ? 0x401000 + i : 0x7f0000000000 + (i << 21);
}

static void test_answers(void)
{
	struct symbol_cache cache = {0};
	struct symbol symbol = {0};
	unsigned int kept = 0, found = 0;

	CHECK(!symbol_cache_find(&cache, 1, &symbol));
	for (uint64_t i = 0; i < N; i++) {
		symbol.offset = i;
		kept += symbol_cache_add(&cache, address(i), &symbol);
	}
	CHECK(kept == N);
	CHECK(!symbol_cache_add(&cache, 1, &symbol) && !symbol_cache_find(&cache, 1, &symbol));
	for (uint64_t i = 0; i < N; i++)
		found += symbol_cache_find(&cache, address(i), &symbol) && symbol.offset == i;
	CHECK(found == N);
	symbol_cache_free(&cache);
}

static void test_memory(void)
{
	struct symbol_cache cache = {0};
	uint64_t *blocks[1000], same = 0;
	size_t n = 0, size = 1 << 20;

	for (; n < 1000 && (blocks[n] = symbol_cache_allocate(&cache, size)); n++)
		blocks[n][0] = blocks[n][size / 8 - 1] = n;
	CHECK(n == 256);
	for (size_t i = 0; i < n; i++)
		same += blocks[i][0] == i && blocks[i][size / 8 - 1] == i;
	CHECK(same == n);
	symbol_cache_free(&cache);
}

int main(void)
{
	test_answers();
	test_memory();
	return test_end();
}
