/* SPDX-License-Identifier: BSD-2-Clause */
#include "check_truth.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check_machine.h"

/* _start takes argc off the stack: the first stack pointer is not quite the highest. */
#define BASE_SLACK 256
/* A register that becomes the stack pointer can mean an alloca(), but not of more than this. */
#define LARGEST_ALLOCA (1 << 20)
/* A signal frame this far below the interrupted stack pointer is on another stack (AMX state makes it 12 KiB large). */
#define LARGEST_SIGNAL_FRAME (64 << 10)

void truth_start(struct truth *truth, const struct machine *machine, uint64_t sp)
{
	truth_free(truth);
	truth->machine = machine;
	truth->now.base = sp + BASE_SLACK;
}

void truth_free(struct truth *truth)
{
	for (size_t i = 0; i < truth->n_others; i++)
		free(truth->others[i].frames);
	free(truth->others);
	free(truth->now.frames);
	memset(truth, 0, sizeof(*truth));
}

static int push(struct true_stack *stack, const struct true_frame *frame)
{
	if (stack->n == stack->capacity) {
		size_t capacity = stack->capacity ? 2 * stack->capacity : 64;
		struct true_frame *grown =
			reallocarray(stack->frames, capacity, sizeof(*stack->frames));

		if (!grown)
			return -ENOMEM;
		stack->frames = grown;
		stack->capacity = capacity;
	}
	stack->frames[stack->n++] = *frame;
	return 0;
}

static int push_call(struct truth *truth, uint64_t pc, uint64_t slot)
{
	uint64_t sp = slot + truth->machine->call_size;
	struct true_frame frame = {.pc = pc, .sp = sp, .dead_at = sp};

	return push(&truth->now, &frame);
}

/* Back from an alternate signal stack: whether `sp` is on what was interrupted. */
static bool leave_for_outer(struct true_stack *stack, uint64_t sp)
{
	struct true_stack outer = *stack;

	while (outer.n > outer.first && outer.frames[outer.first].is_alternate) {
		const struct true_frame *signal = &outer.frames[outer.first];

		outer.n = outer.first;
		outer.base = signal->outer_base;
		outer.first = signal->outer_first;
		if (sp >= signal->sp && sp <= outer.base) {
			*stack = outer;
			return true;
		}
	}
	return false;
}

/* The stack pointer is on another stack: that of a coroutine which ran before, or a new one. */
static int switch_stacks(struct truth *truth, uint64_t old_sp, uint64_t sp)
{
	struct true_stack *grown;

	truth->now.sp = old_sp;
	truth->now.left = false;
	for (size_t i = 0; i < truth->n_others; i++) {
		struct true_stack other = truth->others[i];

		if (sp < other.sp || sp > other.base)
			continue;
		truth->others[i] = truth->now;
		truth->now = other;
		return 0;
	}
	grown = reallocarray(truth->others, truth->n_others + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	truth->others = grown;
	truth->others[truth->n_others++] = truth->now;
	truth->now = (struct true_stack){.base = sp + BASE_SLACK, .entering = true};
	return 0;
}

static bool is_on_other_stack(const struct truth *truth, const struct executed *e)
{
	if (e->new_sp > truth->now.base)
		return true;
	switch (e->instruction->kind) {
	case KIND_SP_LOAD:
		return e->new_sp < e->sp;
	case KIND_SP_MOVE:
		return e->new_sp + LARGEST_ALLOCA < e->sp;
	case KIND_SYSCALL: /* sigreturn */
		return e->new_sp < e->sp;
	default:
		return false;
	}
}

/* Whether the frame whose return address has just left the stack is still there: it is in a register now. */
static bool is_still_there(const struct true_frame *frame, const struct executed *e)
{
	uint8_t kind = e->instruction->kind;

	if (frame->is_signal || frame->dead_at != e->new_sp)
		return false;
	if (frame->popped)
		return kind != KIND_RETURN && kind != KIND_JUMP;
	return kind == KIND_POP;
}

static void drop_dead(struct true_stack *stack, const struct executed *e)
{
	while (stack->n > stack->first) {
		struct true_frame *frame = &stack->frames[stack->n - 1];

		if (frame->dead_at > e->new_sp || frame->is_alternate)
			return;
		if (is_still_there(frame, e)) {
			frame->popped = true;
			return;
		}
		if (!(frame->is_signal || e->instruction->kind == KIND_RETURN) ||
		    e->new_pc != frame->pc)
			stack->left = true;
		stack->n--;
	}
}

static int change_stacks(struct truth *truth, const struct executed *e)
{
	bool is_other = is_on_other_stack(truth, e);
	int err = 0;

	/* From an alternate signal stack above the other one, siglongjmp() goes down. */
	if (!is_other && (e->instruction->kind != KIND_SP_MOVE || e->new_sp >= e->sp))
		return 0;
	if (!leave_for_outer(&truth->now, e->new_sp)) {
		if (!is_other)
			return 0;
		err = switch_stacks(truth, e->sp, e->new_sp);
	}
	truth->now.left = e->instruction->kind != KIND_SYSCALL;
	return err;
}

int truth_execute(struct truth *truth, const struct executed *e, uint64_t top)
{
	uint8_t kind = e->instruction->kind;
	int err = change_stacks(truth, e);

	if (err)
		return err;
	drop_dead(&truth->now, e);
	/* A call of the next instruction is how code learns its address. */
	if (kind == KIND_CALL && e->new_sp == e->sp - truth->machine->call_size &&
	    e->new_pc != e->pc + e->instruction->size)
		return push_call(truth, e->pc + e->instruction->size, e->new_sp);
	/* makecontext() has put the return address of a coroutine's first function there. */
	if (truth->now.entering && (kind == KIND_RETURN || kind == KIND_JUMP)) {
		truth->now.entering = false;
		if (top)
			err = push_call(truth, top, e->new_sp);
	}
	return err;
}

int truth_signal(struct truth *truth, uint64_t sp, uint64_t restorer, uint64_t interrupted_pc,
		 uint64_t interrupted_sp)
{
	struct true_stack *stack = &truth->now;
	struct true_frame frame = {
		.pc = interrupted_pc,
		.sp = interrupted_sp,
		/* The restorer runs at sp + call_size. */
		.dead_at = sp + truth->machine->call_size + 1,
		.is_signal = true,
		.outer_first = stack->first,
		.outer_base = stack->base,
	};
	int err;

	frame.is_alternate = sp > interrupted_sp || interrupted_sp - sp > LARGEST_SIGNAL_FRAME;
	err = push(stack, &frame);
	if (err)
		return err;
	if (frame.is_alternate) {
		stack->first = stack->n - 1;
		stack->base = sp + BASE_SLACK;
	}
	return push_call(truth, restorer, sp);
}
