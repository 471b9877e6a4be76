/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes of a row's rules, all of which are made here: the row's fingerprint is the sum over its
 * slots (registers, then the CFA) of value * factor, so that a change costs the same however many
 * rules there are.
 */
#ifndef CFI_FINGERPRINT_H
#define CFI_FINGERPRINT_H

#include "cfi/cfa_program.h"

/* Independent odd constants, one a slot: finalizer of splitmix64. */
static inline uint64_t slot_factor(unsigned int slot)
{
	uint64_t x = (slot + 1) * 0x9e3779b97f4a7c15ULL;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	return x | 1;
}

#define OFF_FACTOR 0xd6e8feb86659fd93ULL

static inline uint64_t rule_value(const struct cfi_rule *rule)
{
	return rule->kind + rule->reg * 0x9fb21c651e98df25ULL + (uint64_t)rule->off * OFF_FACTOR +
	       (uintptr_t)rule->expr * 0x94d049bb133111ebULL;
}

static inline struct cfi_rule *slot_rule(struct cfi_row *row, unsigned int slot)
{
	return slot == CFA_SLOT_CFA ? &row->cfa : &row->regs[slot];
}

static inline void change_rule(struct cfi_row *row, unsigned int slot, const struct cfi_rule *rule)
{
	struct cfi_rule *old = slot_rule(row, slot);

	row->fingerprint += (rule_value(rule) - rule_value(old)) * slot_factor(slot);
	*old = *rule;
	if (slot != CFA_SLOT_CFA && slot >= row->n_regs)
		row->n_regs = slot + 1;
}

/* The same for the most frequent change of all. */
static inline void change_cfa_off(struct cfi_row *row, int64_t off)
{
	uint64_t difference = (uint64_t)off - (uint64_t)row->cfa.off;

	row->fingerprint += difference * OFF_FACTOR * slot_factor(CFA_SLOT_CFA);
	row->cfa.off = off;
}

#endif
