/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Unwinding in user space, over a snapshot: registers, a slice of the stack, the mappings of the process. The frame step is that of the
 * kernel (include/dwunw/step.h); rules come straight from CFI, one FDE a frame, so that no table is waited for; or, on request,
 * from tables alone, which takes 2 KiB of stack and not 60.
 * Allocates nothing. Thread safe as far as the struct process is not changed meanwhile.
 */
#ifndef UNWIND_H
#define UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <dwunw/dwunw.h>

struct mapping;
struct process;
struct rule_cache;
struct table_view;

/* What frames in a mapping say of its file: dwunw_frame.module, module_id, vaddr. All zeros: nothing. */
struct frame_module {
	const char *path;
	uint64_t load_bias;
	uint32_t id; /* 0: the file could not be read, and vaddr is not known */
};

struct unwind_snapshot {
	const struct process *process;
	bool permanent_only;		    /* only mapping.permanent ones are to be believed */
	const struct frame_module *modules; /* by mapping of `process`; NULL: not wanted */
	struct rule_cache *rules;	    /* or NULL; changed */
	uint64_t epoch;			    /* for it */
	struct table_view *tables; /* whence rules are taken instead of CFI; or NULL; changed */
	const struct dwunw_registers *registers; /* of the innermost frame, whose pc is exact */
	uint64_t entry_sp; /* at a function's first instruction, its stack pointer; else 0 */
	uint64_t slice_start;
	const uint8_t *slice;
	size_t slice_size;
	dwunw_read_fn *read; /* for what the slice does not have; or NULL */
	void *read_arg;
	uint64_t
		ra_mask; /* of NT_ARM_PAC_MASK: bits that sign return addresses; 0: the usual ones */
	uint64_t trampoline; /* of uretprobes; 0: none */
	uint32_t by_fp;	     /* enum dwunw_by_fp of step_types.h */
	const struct dwunw_return *returns;
	size_t n_returns;
};

/* For `mapping`, whose file the frames are to call `path`. */
struct frame_module frame_module_of(const struct mapping *mapping, const char *path);

/* pc, stack and frame pointer: a walk cannot begin without. */
bool registers_are_enough(const struct dwunw_registers *registers);

/*
 * Fills up to `max_frames` frames after leaving out the innermost `skip`, and *ret. Always ends, whatever the memory says.
 */
void unwind_snapshot(const struct unwind_snapshot *snapshot, unsigned int skip, size_t max_frames,
		     struct dwunw_frame *frames, struct dwunw_unwind_result *ret);

#endif
