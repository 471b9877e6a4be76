/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules out of tables that were built before, for walks that may neither allocate nor wait: in a signal handler, in any number of
 * threads at once. Those of most frames fit into a word, which is remembered by address, without locks.
 */
#ifndef UNWIND_TABLE_VIEW_H
#define UNWIND_TABLE_VIEW_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <dwunw/step_types.h>
#include <dwunw/table_format.h>

#define TABLE_VIEW_BITS 11

/*
 * A rule in a word: CFA = sp or fp + offset, return address and, maybe, frame pointer at offsets from it; or the root. Offsets count words of the
 * target.
 */
union packed_rule {
	uint64_t word; /* 0: none; no rule is */
	struct {
		uint64_t mapping : 14;
		uint64_t is_root : 1;
		uint64_t cfa_is_fp : 1;
		uint64_t fp_is_saved : 1;
		uint64_t cfa : 19;
		int64_t ra : 14; /* never 0 but in the root */
		int64_t fp : 14;
	};
};

_Static_assert(sizeof(union packed_rule) == 8, "is stored in one piece");

/* Two words that belong together only if `check` is address xor rule; threads may write both at once. */
struct table_view_entry {
	_Atomic uint64_t check;
	_Atomic uint64_t rule;
};

struct table_view {
	struct table_view_entry entries[1 << TABLE_VIEW_BITS];
};

/* On machines that cannot store 64 bits in one piece nothing is remembered. */
#define TABLE_VIEW_REMEMBERS (ATOMIC_LLONG_LOCK_FREE == 2)

static inline struct table_view_entry *table_view_entry(struct table_view *view, uint64_t pc)
{
	return &view->entries[pc * 0x9e3779b97f4a7c15ULL >> (64 - TABLE_VIEW_BITS)];
}

/* False: not remembered. */
static inline bool table_view_find(struct table_view *view, uint64_t pc, union packed_rule *ret)
{
#if TABLE_VIEW_REMEMBERS
	struct table_view_entry *entry = table_view_entry(view, pc);
	uint64_t rule = atomic_load_explicit(&entry->rule, memory_order_relaxed);
	uint64_t check = atomic_load_explicit(&entry->check, memory_order_relaxed);

	ret->word = rule;
	return rule && (check ^ rule) == pc;
#else
	(void)view, (void)pc, (void)ret;
	return false;
#endif
}

/* As far as it fits: what does not is looked up each time. */
void table_view_keep(struct table_view *view, uint64_t pc, uint64_t mapping,
		     const struct dwunw_frame_rule *rule);

/* Mostly constants, so that a step by the result does nothing but what it must. */
static inline struct dwunw_frame_rule packed_rule_unpack(union packed_rule packed,
							 const struct dwunw_step_arch *arch)
{
	return (struct dwunw_frame_rule){
		.cfa_kind = DWUNW_RULE_REG_PLUS,
		.cfa_reg = packed.cfa_is_fp ? arch->fp : arch->sp,
		.cfa_off = packed.cfa * arch->word_size,
		.ra_kind = packed.is_root ? DWUNW_RULE_UNDEFINED : DWUNW_RULE_CFA_AT,
		.ra_off = packed.ra * arch->word_size,
		.fp_kind = packed.fp_is_saved ? DWUNW_RULE_CFA_AT : DWUNW_RULE_SAME,
		.fp_off = packed.fp * arch->word_size,
	};
}

#endif
