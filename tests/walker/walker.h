/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's walker as an ordinary function. One thread at a time. */
#ifndef WALKER_H
#define WALKER_H

#include <stddef.h>
#include <stdint.h>

#include <dwunw/bpf_format.h>

#define WALKER_DEPTH 127 /* dwunw_max_depth as walk.bpf.h has it */

struct walker_input {
	const void *registers; /* as NT_PRSTATUS has them, which struct pt_regs begins with */
	size_t registers_size;
	uint64_t memory_start; /* whole pages; there is no other memory */
	size_t memory_size;
	const uint8_t *memory;
	const struct dwunw_mappings *mappings;
	uint64_t trampoline;		    /* of uretprobes; 0: none */
	const struct dwunw_return *returns; /* innermost first, DWUNW_MAX_RETURNS at most */
	size_t n_returns;
	struct dwunw_memo *memo; /* WALKER_MEMO only */
};

enum walker_how {
	WALKER_COMMON,
	WALKER_FULL,   /* with all registers from the start; slot->by_fp is minded */
	WALKER_MEMO,   /* with `memo`: slot->arrived is not 0 if that knew the rest */
	WALKER_TRY_FP, /* after another: by frame pointer, if that leads to the root */
};

/*
 * Walks from where the slot is: with what its cache holds, and slot->skip. Frames are in slot->frames as a stack record has them, with stack pointers, the
 * rest in slot->event.n_frames and slot->stop.
 */
void walker_walk(const struct walker_input *input, enum walker_how how, struct dwunw_slot *slot);

#endif
