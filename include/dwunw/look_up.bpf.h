/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Inside the kernel: pc -> mapping -> table -> rule, and what to do where there is none. */
#ifndef DWUNW_LOOK_UP_BPF_H
#define DWUNW_LOOK_UP_BPF_H

#include "hash.bpf.h"
#include "maps.bpf.h"
#include "reader.bpf.h"
#include "uretprobe.bpf.h"

/* `size` bytes of table space at `address` are inside one shard: see DWUNW_SHARD_SIZE. */
static __always_inline const __u8 *dwunw_shard(__u32 address)
{
	__u32 key = address >> DWUNW_SHARD_SHIFT, zero = 0;
	void *shard = bpf_map_lookup_elem(&dwunw_shards, &key);

	return shard ? bpf_map_lookup_elem(shard, &zero) : 0;
}

/* Finds the mapping of `pc`, one that can be believed; leaves it in slot->mapping. */
static __always_inline int dwunw_find_mapping(struct dwunw_slot *slot,
					      const struct dwunw_mappings *mappings, __u64 pc)
{
	__u64 first = 0, n = mappings->n;
	const struct dwunw_mapping *m;

	if (pc >= slot->mapping.start && pc < slot->mapping.end)
		return 0;
	if (n > DWUNW_MAX_MAPPINGS)
		return -1;
	for (int i = 0; i < DWUNW_MAPPING_STEPS; i++) {
		__u64 half = n >> 1;
		__u64 start = mappings->mappings[(first + half) & (DWUNW_MAX_MAPPINGS - 1)].start;
		__s64 below = (__s64)(pc - start) >> 63; /* user addresses have no top bit */

		asm volatile("" : "+r"(below));
		first += half & ~below;
		n -= half;
		asm volatile("" : "+r"(first));
		asm volatile("" : "+r"(n));
	}
	m = &mappings->mappings[first & (DWUNW_MAX_MAPPINGS - 1)];
	if (pc < m->start || pc >= m->end)
		return -1;
	if (slot->stale && !(m->flags & DWUNW_MAPPING_PERMANENT))
		return -1;
	slot->mapping = *m;
	return 0;
}

/*
 * The rule at `vaddr` of the table at `address`, into slot->rule and its place into slot->rule_address.
 * 0, or -1 where the table cannot be read (not loaded whole).
 */
static __always_inline int dwunw_find_rule(struct dwunw_slot *slot, __u32 address, __u64 vaddr)
{
	const __u8 *shard = dwunw_shard(address);
	const struct dwunw_space_table *table;
	const struct dwunw_table_page *entry;
	__u64 page;
	__u32 pages, rules, rows, n_rows, row = 0;

	if (!shard)
		return -1;
	table = (const void *)(shard + (address & DWUNW_SHARD_MASK & ~31u));
	page = (vaddr >> DWUNW_PAGE_SHIFT) - table->first_page;
	rules = table->rules;
	if (page < table->n_pages) {
		pages = table->pages + (__u32)page * sizeof(*entry);
		shard = dwunw_shard(pages);
		if (!shard)
			return -1;
		entry = (const void *)(shard + (pages & DWUNW_SHARD_MASK & ~7u));
		rows = entry->rows;
		n_rows = entry->n_rows;
		if (n_rows) {
			shard = dwunw_shard(rows);
			if (!shard)
				return -1;
			row = dwunw_find_row(shard, DWUNW_SHARD_MASK, rows, n_rows, vaddr & 0xffff);
			row = *(const __u32 *)(shard + ((rows + 4 * row) & DWUNW_SHARD_MASK & ~3u));
		}
	}
	rules += (row & 0xffff) * sizeof(struct dwunw_rule);
	shard = dwunw_shard(rules);
	if (!shard)
		return -1;
	slot->rule = *(const struct dwunw_frame_rule *)(shard + (rules & DWUNW_SHARD_MASK & ~127u));
	slot->rule_address = rules;
	return 0;
}

/* The pc is the uretprobe trampoline: puts the real return address back. 0 if it did. */
static __always_inline int dwunw_see_through_trampoline(struct dwunw_slot *slot)
{
	__u64 address;

	if (slot->trampoline == 1)
		slot->trampoline = dwunw_trampoline();
	if (!slot->trampoline || slot->state.pc != slot->trampoline)
		return -1;
	address = dwunw_return_address(slot->state.sp - DWUNW_ARCH_NATIVE.return_size,
				       slot->trampoline);
	if (!address)
		return -1;
	slot->state.pc = address;
	return 0;
}

/* A frame without CFI: the end of the stack, or a step by frame pointer, or the end of what is known. */
static __always_inline int dwunw_no_cfi(struct dwunw_slot *slot)
{
	/* In a frame that made no call the frame pointer may be any register. */
	if (slot->state.pc_exact && slot->state.sp != slot->entry_sp)
		return DWUNW_STOP_NO_CFI;
	if (slot->state.pc_exact) {
		slot->rule = dwunw_null_call_rule(&DWUNW_ARCH_NATIVE);
		slot->rule_address = 0;
		return DWUNW_CONTINUE;
	}
	if (slot->state.fp_lost)
		return slot->state.fp_lost;
	if (slot->state.fp == 0)
		return DWUNW_STOP_ROOT; /* psABI AMD64 3.4.1: the deepest frame is marked by a zero frame pointer */
	if (!dwunw_fp_is_sane(&slot->state, &DWUNW_ARCH_NATIVE))
		return DWUNW_STOP_NO_CFI;
	slot->rule = DWUNW_ARCH_NATIVE.fp_frame;
	slot->rule_address = 0;
	slot->fp_steps++;
	return DWUNW_CONTINUE;
}

/* What identifies the code at `pc`, whatever address it is at (slot->mapping holds it): event_format.h. */
static __always_inline __u64 dwunw_code(const struct dwunw_slot *slot,
					const struct dwunw_mappings *mappings, __u64 pc)
{
	if (slot->mapping.table_id)
		return (__u64)slot->mapping.table_id << DWUNW_CODE_SHIFT |
		       ((pc - slot->mapping.load_bias) & DWUNW_CODE_MASK);
	return DWUNW_CODE_NO_TABLE | (pc ^ (__u64)mappings->generation << 47);
}

/*
 * The rule at the frame's pc, not from the cache: slot->rule, slot->code, and slot->flags. slot->cacheable: the answer depends on
 * nothing but the pc. DWUNW_CONTINUE or a stop reason. A global function: the verifier goes through it once, and, before Linux 6.8, also where
 * nothing calls it, and then neither maps nor bpf_loop may be there.
 */
__noinline int dwunw_look_up(struct dwunw_slot *slot, const struct dwunw_mappings *mappings)
{
	__u64 pc, vaddr;

	if (dwunw_walk_in_user || !slot || !mappings)
		return DWUNW_STOP_NO_MAPPING;
	pc = dwunw_lookup_pc(&slot->state);
	slot->flags = slot->state.pc_exact ? DWUNW_FRAME_EXACT : 0;
	slot->cacheable = 0;
	if (dwunw_find_mapping(slot, mappings, pc)) {
		if (dwunw_is_null_call(&slot->state)) {
			slot->code = DWUNW_CODE_NO_TABLE;
			slot->rule = dwunw_null_call_rule(&DWUNW_ARCH_NATIVE);
			slot->rule_address = 0;
			return DWUNW_CONTINUE;
		}
		if (dwunw_see_through_trampoline(slot)) {
			slot->code = DWUNW_CODE_NO_TABLE | slot->state.pc;
			return DWUNW_STOP_NO_MAPPING;
		}
		slot->flags |= DWUNW_FRAME_TRAMPOLINE;
		pc = slot->state.pc - 1;
		slot->code = DWUNW_CODE_NO_TABLE | slot->state.pc;
		if (dwunw_find_mapping(slot, mappings, pc))
			return DWUNW_STOP_NO_MAPPING;
	}
	slot->code = dwunw_code(slot, mappings, slot->state.pc);
	slot->rule.cfa_kind = DWUNW_NO_RULE;
	if (slot->mapping.table_id) {
		if (!slot->mapping.table)
			return DWUNW_STOP_NO_TABLE;
		vaddr = pc - slot->mapping.load_bias;
		if (dwunw_find_rule(slot, slot->mapping.table, vaddr))
			return DWUNW_STOP_NO_TABLE;
		if (slot->rule.cfa_kind == DWUNW_NO_RULE && pc != slot->state.pc) {
			/*
			 * No call ends at pc. If a function begins there, its address was put on
			 * the stack by hand: a signal trampoline, or where a context starts.
			 */
			if (dwunw_find_rule(slot, slot->mapping.table, vaddr + 1))
				return DWUNW_STOP_NO_TABLE;
			if (slot->rule.cfa_kind != DWUNW_NO_RULE)
				slot->flags |= DWUNW_FRAME_EXACT;
			if (slot->rule.cfa_kind != DWUNW_NO_RULE &&
			    !(slot->rule.flags & DWUNW_RULE_SIGNAL))
				return DWUNW_STOP_ROOT;
		}
	}
	if (slot->rule.cfa_kind == DWUNW_NO_RULE) {
		if (!slot->state.pc_exact)
			slot->flags |= DWUNW_FRAME_FP;
		return dwunw_no_cfi(slot);
	}
	if (slot->rule.flags & DWUNW_RULE_SIGNAL)
		slot->flags |= DWUNW_FRAME_SIGNAL;
	/* what was found otherwise than by its pc must not be found by it */
	slot->cacheable = !(slot->flags & DWUNW_FRAME_TRAMPOLINE) &&
			  !!(slot->flags & DWUNW_FRAME_EXACT) == !!slot->state.pc_exact;
	return DWUNW_CONTINUE;
}

#endif
