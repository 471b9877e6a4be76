/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where in a function to put its probe. The kernel single-steps the instructions that it cannot
 * emulate, out of line, at some 15 us a hit; the emulated ones (push, nop, jmp, jcc, call;
 * arch/x86/kernel/uprobes.c) cost 1 us. So the probe goes on the first emulated instruction that is
 * reached exactly once per call with argument registers and stack pointer untouched. capstone
 * decodes.
 */
#ifndef PLACEMENT_H
#define PLACEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLACEMENT_MAX_ARGS 6

struct placement {
	uint64_t offset; /* from the function's start, bytes */
	bool emulated;	 /* the kernel emulates the instruction there */
	bool moved;	 /* some argument is in another register than at the entry */
	uint8_t registers
		[PLACEMENT_MAX_ARGS]; /* where the first n_args are: dense indices (dwunw/step_types.h) */
};

#define PLACEMENT_KEEP_SP 1    /* the return address must still be at *sp: for a return probe */
#define PLACEMENT_MOVED_ARGS 2 /* the probe's program finds arguments that are in other registers */

/*
 * `code`: the function's bytes, whole (branches anywhere in it can land between entry and probe);
 * `vaddr`: of its start; `flags`: PLACEMENT_*. Offset
 * 0 where nothing better is found or the code cannot be decoded. A jump into the middle from
 * another function is not seen: hand-written assembly alone does that (of 51,691 functions in ten
 * libraries and programs only glibc's memcpy, which mempcpy enters three bytes behind its start).
 * `n_args`: the first arguments (integers, pointers), which are all that the probe reads: free() of jemalloc overwrites the registers of
 * arguments that it does not have.
 */
void placement_find(const uint8_t *code, size_t size, uint64_t vaddr, unsigned int n_args,
		    unsigned int flags, struct placement *ret);

#endif
