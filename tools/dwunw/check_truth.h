/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The true call stack of a thread, kept from what its instructions do: a call adds a frame, and a frame is gone once the stack pointer
 * has moved past its return address, be it by a return, by longjmp() or by an exception. Nothing here reads CFI.
 *
 * The stack pointer may leave for another region (alternate signal stack, coroutine) and come back: what is known of a region
 * that was left is kept.
 */
#ifndef DWUNW_CHECK_TRUTH_H
#define DWUNW_CHECK_TRUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct instruction;
struct machine;

/* A frame that is not the innermost one. */
struct true_frame {
	uint64_t pc;	  /* where it goes on */
	uint64_t sp;	  /* its stack pointer when it does */
	uint64_t dead_at; /* the stack pointer at which it has been returned to */
	bool is_signal;	  /* it was interrupted rather than having made a call */
	bool popped; /* its return address has been taken off the stack, and is in a register */
	bool is_alternate; /* is_signal, and the handler runs in another region: the first frame of that */
	/* is_alternate: what struct true_stack had */
	size_t outer_first;
	uint64_t outer_base;
};

struct true_stack {
	struct true_frame *frames; /* the innermost one last */
	size_t n, capacity;
	size_t first;  /* frames from here on are in the present region */
	uint64_t base; /* no frame of the region is above */
	bool entering; /* a region that was never seen: nothing has been called there */
	bool left;     /* frames have been left other than by returns since the last jump */
	uint64_t sp;   /* as it was when this stack was left for another */
};

/* The stacks of one thread. */
struct truth {
	const struct machine *machine;
	struct true_stack now;
	struct true_stack *others; /* coroutines that do not run */
	size_t n_others;
};

/* What an instruction was, where it was, and where the thread is now. */
struct executed {
	const struct instruction *instruction;
	uint64_t pc, sp;
	uint64_t new_pc, new_sp;
};

/* At the first instruction of a program or thread. */
void truth_start(struct truth *truth, const struct machine *machine, uint64_t sp);
void truth_free(struct truth *truth);

/* -ENOMEM. `top`: the word at new_sp. */
int truth_execute(struct truth *truth, const struct executed *executed, uint64_t top);

/* A handler is about to run: `restorer` is what it will return to. -ENOMEM. */
int truth_signal(struct truth *truth, uint64_t sp, uint64_t restorer, uint64_t interrupted_pc,
		 uint64_t interrupted_sp);

#endif
