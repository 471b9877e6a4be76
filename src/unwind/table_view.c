/* SPDX-License-Identifier: BSD-2-Clause */
#include "unwind/table_view.h"

#include "dwunw_arch.h"

/* False: something of it does not fit. */
static bool pack(uint64_t mapping, const struct dwunw_frame_rule *rule, union packed_rule *ret)
{
	const int word = DWUNW_ARCH_NATIVE.word_size;
	bool is_root = rule->ra_kind == DWUNW_RULE_UNDEFINED;
	struct dwunw_frame_rule unpacked;

	*ret = (union packed_rule){
		.mapping = mapping,
		.is_root = is_root,
		.cfa_is_fp = rule->cfa_reg == DWUNW_ARCH_NATIVE.fp,
		.fp_is_saved = rule->fp_kind == DWUNW_RULE_CFA_AT,
		.cfa = rule->cfa_off / word,
		.ra = rule->ra_off / word,
		.fp = rule->fp_off / word,
	};
	if (ret->mapping != mapping)
		return false;
	if (is_root)
		return true;
	/* What is left out, or cut, is not the same when it is unpacked. */
	unpacked = packed_rule_unpack(*ret, &DWUNW_ARCH_NATIVE);
	return !rule->flags && rule->cfa_kind == unpacked.cfa_kind &&
	       rule->cfa_reg == unpacked.cfa_reg && rule->cfa_off == unpacked.cfa_off &&
	       rule->ra_kind == unpacked.ra_kind && rule->ra_off == unpacked.ra_off &&
	       rule->fp_kind == unpacked.fp_kind && rule->fp_off == unpacked.fp_off;
}

void table_view_keep(struct table_view *view, uint64_t pc, uint64_t mapping,
		     const struct dwunw_frame_rule *rule)
{
	struct table_view_entry *entry = table_view_entry(view, pc);
	union packed_rule packed;

	if (!TABLE_VIEW_REMEMBERS || !pack(mapping, rule, &packed))
		return;
	atomic_store_explicit(&entry->check, pc ^ packed.word, memory_order_relaxed);
	atomic_store_explicit(&entry->rule, packed.word, memory_order_relaxed);
}
