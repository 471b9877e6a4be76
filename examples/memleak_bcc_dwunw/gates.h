/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where functions that have no return probe (returns.h) are seen to return without a single step. No kernel emulates a return instruction,
 * but before it there is a region from which every way leads to one, without a call; a jump into that region is emulated. A probe there, a
 * gate, knows whether the jump will enter the region, by its condition, which register has the result already, and how far the stack pointer
 * will move until the return. Where all ways to a return instruction lead through gates, it needs no probe of its own.
 */
#ifndef GATES_H
#define GATES_H

#include <stddef.h>
#include <stdint.h>

#include "returns.h"

#define GATES_MAX 64
#define GATES_MAX_BELOW 0xffff

struct gate {
	uint64_t vaddr;		/* of the jump */
	unsigned int condition; /* with which it enters the region: dwunw_condition.h */
	uint8_t holder;		/* the register that has the result then: dense index */
	uint16_t below; /* bytes from the stack pointer there to where it is at the return */
};

struct gates {
	struct gate gates[GATES_MAX];
	size_t n;
	uint64_t returns[RETURNS_MAX]; /* the return instructions that need no probe */
	size_t n_returns;
};

/*
 * For the functions at `vaddrs`; `probed`: as for returns_find(); `taken`: where there are probes already, which cannot be gates. Each way
 * of one of the functions to one of the returns that are found leads through exactly one gate, with its condition; from there no way leads
 * to a call or to another gate, but perhaps one to a return that keeps its probe. Where code is not understood, no gate is found that would
 * need it. Errors as of returns_follow(); -E2BIG: too many gates.
 */
int gates_find(struct module *module, const uint64_t *vaddrs, size_t n_vaddrs,
	       const uint64_t *probed, size_t n_probed, const uint64_t *taken, size_t n_taken,
	       struct gates *ret);

#endif
