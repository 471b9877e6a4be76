/* SPDX-License-Identifier: BSD-2-Clause */
/* The answers so far, by vaddr, and the memory that they refer to: kept until the end. */
#ifndef SYMBOLIZE_SYMBOL_CACHE_H
#define SYMBOLIZE_SYMBOL_CACHE_H

#include "symbolize/symbolize.h"

struct symbol_cache {
	struct cached_symbol {
		uint64_t vaddr;
		struct symbol symbol;
		bool used;
	} * slots;
	size_t n, n_slots;
	struct symbol_block {
		struct symbol_block *next;
		max_align_t data[];
	} * blocks;
	size_t block_size, block_used, bytes; /* of the first block; of all */
};

/* NULL: no memory, or the answers take more than 256 MiB. */
void *symbol_cache_allocate(struct symbol_cache *cache, size_t size);
bool symbol_cache_find(const struct symbol_cache *cache, uint64_t vaddr, struct symbol *ret);
/* False: it is not kept, for want of memory, or because there are 1,048,576. */
bool symbol_cache_add(struct symbol_cache *cache, uint64_t vaddr, const struct symbol *symbol);
void symbol_cache_free(struct symbol_cache *cache);

#endif
