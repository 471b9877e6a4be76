/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolize/symbol_cache.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 256
#define BLOCK_SIZE (16u << 10)
#define MAX_BYTES (256u << 20)
/* Half of them are used at most. No program's stacks have so many addresses in a file; past it every look-up is made anew. */
#define MAX_SLOTS (1u << 21)

void *symbol_cache_allocate(struct symbol_cache *cache, size_t size)
{
	size_t rounded =
		(size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
	void *ret;

	if (!cache->blocks || cache->block_size - cache->block_used < rounded) {
		size_t block_size = rounded > BLOCK_SIZE ? rounded : BLOCK_SIZE;
		struct symbol_block *block;

		if (cache->bytes + block_size > MAX_BYTES)
			return NULL;
		block = malloc(sizeof(*block) + block_size);
		if (!block)
			return NULL;
		block->next = cache->blocks;
		cache->blocks = block;
		cache->block_size = block_size;
		cache->block_used = 0;
		cache->bytes += block_size;
	}
	ret = (char *)cache->blocks->data + cache->block_used;
	cache->block_used += rounded;
	return ret;
}

static struct cached_symbol *slot_of(const struct symbol_cache *cache, uint64_t vaddr)
{
	/* Fibonacci hashing: Knuth, The Art of Computer Programming, 6.4 */
	size_t i = (size_t)(vaddr * 0x9e3779b97f4a7c15ULL >> 20) % cache->n_slots;

	while (cache->slots[i].used && cache->slots[i].vaddr != vaddr)
		i = (i + 1) % cache->n_slots;
	return &cache->slots[i];
}

bool symbol_cache_find(const struct symbol_cache *cache, uint64_t vaddr, struct symbol *ret)
{
	const struct cached_symbol *slot = cache->n_slots ? slot_of(cache, vaddr) : NULL;

	if (!slot || !slot->used)
		return false;
	*ret = slot->symbol;
	return true;
}

static bool grow(struct symbol_cache *cache)
{
	struct symbol_cache larger = *cache;

	larger.n_slots = cache->n_slots ? 2 * cache->n_slots : FIRST_SLOTS;
	if (larger.n_slots > MAX_SLOTS)
		return false;
	larger.slots = calloc(larger.n_slots, sizeof(*larger.slots));
	if (!larger.slots)
		return false;
	for (size_t i = 0; i < cache->n_slots; i++)
		if (cache->slots[i].used)
			*slot_of(&larger, cache->slots[i].vaddr) = cache->slots[i];
	free(cache->slots);
	*cache = larger;
	return true;
}

bool symbol_cache_add(struct symbol_cache *cache, uint64_t vaddr, const struct symbol *symbol)
{
	struct cached_symbol *slot;

	if (2 * cache->n >= cache->n_slots && !grow(cache))
		return false;
	slot = slot_of(cache, vaddr);
	cache->n += !slot->used;
	*slot = (struct cached_symbol){vaddr, *symbol, true};
	return true;
}

void symbol_cache_free(struct symbol_cache *cache)
{
	while (cache->blocks) {
		struct symbol_block *next = cache->blocks->next;

		free(cache->blocks);
		cache->blocks = next;
	}
	free(cache->slots);
	*cache = (struct symbol_cache){0};
}
