/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules that CFI gave, by address: most frames of a process are at few addresses. Only what depends on nothing but the address and the
 * mappings is kept, which an epoch stands for: it differs with every process and with every change of its mappings.
 */
#ifndef UNWIND_RULE_CACHE_H
#define UNWIND_RULE_CACHE_H

#include <stdint.h>

#include <dwunw/event_format.h>
#include <dwunw/table_format.h>

#include "unwind/unwind.h"

#define RULE_CACHE_BITS 11

struct rule_cache_entry {
	uint64_t epoch; /* 0: free */
	uint64_t pc;
	struct frame_module module;
	struct dwunw_rule rule;
};

struct rule_cache {
	struct rule_cache_entry entries[1 << RULE_CACHE_BITS];
};

/* Where the rule for `pc` is, if it is kept. */
static inline struct rule_cache_entry *rule_cache_place(struct rule_cache *cache, uint64_t epoch,
							uint64_t pc)
{
	uint64_t hash = (pc ^ epoch << 48) * 0x9e3779b97f4a7c15ULL;

	return &cache->entries[hash >> (64 - RULE_CACHE_BITS)];
}

#endif
