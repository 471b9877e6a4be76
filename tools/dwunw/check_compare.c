/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <dwunw/step_types.h>

#include "arch/arch.h"
#include "check.h"
#include "process/process.h"
#include "unwind/memory.h"
#include "unwind/rule_cache.h"
#include "unwind/unwind.h"

#define MAX_MISMATCHES 64
#define MISMATCH_FRAMES 64

struct position {
	uint64_t pc, sp;
};

struct mismatch {
	uint64_t pc;
	bool overwritten; /* the true return address is not where the call has put it */
	bool complete;	  /* `found` are all frames, and the last one is a root */
	size_t at, n_true;
	struct position true_frame; /* frame `at`; nothing in it where the true stack has ended */
	uint32_t stop;
	size_t n; /* of `found` */
	struct position found[MISMATCH_FRAMES];
};

uint64_t check_sp(const struct dwunw_registers *registers)
{
	return registers->regs[arch_native()->step->sp];
}

static size_t n_true(const struct check_thread *thread)
{
	return thread->truth.now.n + 1;
}

/* Innermost first. */
static struct position true_position(const struct check_thread *thread, size_t i)
{
	const struct true_stack *stack = &thread->truth.now;
	const struct true_frame *frame;

	if (i == 0)
		return (struct position){thread->registers.pc, check_sp(&thread->registers)};
	frame = &stack->frames[stack->n - i];
	return (struct position){frame->pc, frame->sp};
}

static int capture(struct check *check, const struct check_thread *thread, size_t max_frames,
		   struct dwunw_unwind_result *ret)
{
	struct dwunw_unwind_request request = {
		.size = sizeof(request),
		.pid = check->pid,
		.tid = thread->tid,
		.registers = &thread->registers,
		.read = memory_read,
		.read_arg = check->memory,
		.frames = check->frames,
		.max_frames = max_frames,
	};

	check->counts.captures++;
	return dwunw_capture(check->context, &request, ret);
}

static void unwind(struct check *check, const struct check_thread *thread, size_t max_frames,
		   struct dwunw_unwind_result *ret)
{
	struct unwind_snapshot snapshot = {
		.process = check->process,
		.rules = check->rules,
		.epoch = check->epoch,
		.registers = &thread->registers,
		.read = memory_read,
		.read_arg = check->memory,
	};

	unwind_snapshot(&snapshot, 0, max_frames, check->frames, ret);
}

/* The number of frames that are right, counted from the innermost. */
static size_t count_equal(const struct check *check, const struct check_thread *thread,
			  size_t n_found)
{
	size_t n = n_found < n_true(thread) ? n_found : n_true(thread), i;

	for (i = 0; i < n; i++) {
		struct position expected = true_position(thread, i);

		if (check->frames[i].pc != expected.pc || check->frames[i].sp != expected.sp)
			break;
	}
	return i;
}

static void print_mismatch(struct check *check, const struct mismatch *mismatch)
{
	size_t at = mismatch->at;

	fprintf(check->out, "at 0x%016" PRIx64 " ", mismatch->pc);
	check_print_address(check, mismatch->pc, false);
	fprintf(check->out, ", frame %zu of %zu:\n  true:  ", at, mismatch->n_true);
	if (at < mismatch->n_true) {
		fprintf(check->out, "pc 0x%016" PRIx64 " sp 0x%016" PRIx64 " ",
			mismatch->true_frame.pc, mismatch->true_frame.sp);
		check_print_address(check, mismatch->true_frame.pc, at > 0);
	} else {
		fprintf(check->out, "there is none");
	}
	fprintf(check->out, "\n  found: ");
	if (at < mismatch->n) {
		fprintf(check->out, "pc 0x%016" PRIx64 " sp 0x%016" PRIx64 " ",
			mismatch->found[at].pc, mismatch->found[at].sp);
		check_print_address(check, mismatch->found[at].pc, at > 0);
		fputc('\n', check->out);
	} else {
		fprintf(check->out, "%s\n", dwunw_stop_reason_text(mismatch->stop));
	}
}

/* It is counted at the frame whose rules gave the first wrong one. */
static void count_difference(struct check *check, const struct mismatch *mismatch)
{
	uint64_t pc = mismatch->at > 0 && mismatch->at <= mismatch->n
			      ? mismatch->found[mismatch->at - 1].pc
			      : mismatch->pc;
	struct place *place = check_place(check, pc, mismatch->at > 1);

	if (mismatch->overwritten) {
		check->counts.overwritten++;
		if (place)
			place->overwritten++;
		return;
	}
	if (place)
		place->differences++;
	if (place && place->wrong_cfi)
		check->counts.wrong_cfi++;
	else if (check->counts.differences++ < check->options.show)
		print_mismatch(check, mismatch);
}

void check_settle(struct check *check, struct check_thread *thread)
{
	for (size_t i = 0; i < thread->n_mismatches; i++)
		count_difference(check, &thread->mismatches[i]);
	thread->n_mismatches = 0;
}

/* Whether the callers that were found are the stack that the thread has now. */
static bool was_ahead(const struct check_thread *thread, const struct mismatch *mismatch)
{
	size_t n = mismatch->n - 1;

	if (n == 0 || (mismatch->complete ? n != n_true(thread) : n > n_true(thread)))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct position expected = true_position(thread, i);

		if (mismatch->found[i + 1].pc != expected.pc ||
		    mismatch->found[i + 1].sp != expected.sp)
			return false;
	}
	return true;
}

void check_resolve(struct check *check, struct check_thread *thread)
{
	size_t kept = 0;

	check->counts.jumps++;
	for (size_t i = 0; i < thread->n_mismatches; i++) {
		if (was_ahead(thread, &thread->mismatches[i]))
			check->counts.ahead++;
		else
			thread->mismatches[kept++] = thread->mismatches[i];
	}
	thread->n_mismatches = kept;
	check_settle(check, thread);
}

/*
 * Whether the call's return address has been replaced: the end of an exception's search puts that of the landing pad there
 * (__builtin_eh_return) some instructions before it goes there. Memory does not have the caller any more.
 */
static bool is_overwritten(const struct check *check, const struct check_thread *thread, size_t at)
{
	const struct true_stack *stack = &thread->truth.now;
	const struct true_frame *frame;
	uint64_t pc;

	if (at == 0 || at > stack->n)
		return false;
	frame = &stack->frames[stack->n - at];
	if (frame->is_signal)
		return false;
	return memory_read(check->memory, frame->sp - thread->truth.machine->call_size, &pc,
			   sizeof(pc)) == 0 &&
	       pc != frame->pc;
}

static int add_mismatch(struct check *check, struct check_thread *thread, size_t at,
			const struct dwunw_unwind_result *result)
{
	struct mismatch *mismatch;

	if (!thread->mismatches)
		thread->mismatches = calloc(MAX_MISMATCHES, sizeof(*thread->mismatches));
	if (!thread->mismatches)
		return -ENOMEM;
	if (thread->n_mismatches == MAX_MISMATCHES)
		check_settle(check, thread);
	mismatch = &thread->mismatches[thread->n_mismatches++];
	memset(mismatch, 0, sizeof(*mismatch));
	mismatch->pc = thread->registers.pc;
	mismatch->at = at;
	mismatch->n_true = n_true(thread);
	mismatch->overwritten = is_overwritten(check, thread, at);
	if (at < mismatch->n_true)
		mismatch->true_frame = true_position(thread, at);
	mismatch->stop = result->stop;
	for (size_t i = 0; i < result->n_frames && i < MISMATCH_FRAMES; i++)
		mismatch->found[mismatch->n++] =
			(struct position){check->frames[i].pc, check->frames[i].sp};
	mismatch->complete = mismatch->n == result->n_frames && result->stop == DWUNW_STOP_ROOT;
	return 0;
}

static int count_no_cfi(struct check *check, const struct dwunw_frame *frame)
{
	struct place *place = check_place(check, frame->pc, !(frame->flags & DWUNW_FRAME_EXACT));

	if (!place)
		return -ENOMEM;
	place->no_cfi++;
	check->counts.no_cfi++;
	return 0;
}

static int reserve(struct check *check, size_t n)
{
	struct dwunw_frame *frames;

	if (n <= check->max_frames)
		return 0;
	frames = reallocarray(check->frames, 2 * n, sizeof(*frames));
	if (!frames)
		return -ENOMEM;
	check->frames = frames;
	check->max_frames = 2 * n;
	return 0;
}

/* One frame more than there is, so that a root that is missed is seen. */
static size_t frames_wanted(struct check *check, struct check_thread *thread)
{
	size_t all = n_true(thread) + 1;

	if (++thread->since_whole >= check->options.every || thread->whole_next)
		return all;
	return all < check->options.depth ? all : check->options.depth;
}

int check_compare(struct check *check, struct check_thread *thread)
{
	size_t wanted = frames_wanted(check, thread), equal;
	bool by_capture = thread->since_whole >= check->options.every;
	struct dwunw_unwind_result result;
	int err = reserve(check, wanted);

	if (err)
		return err;
	if (by_capture)
		err = capture(check, thread, wanted, &result);
	else
		unwind(check, thread, wanted, &result);
	if (err)
		return err;
	if (by_capture)
		thread->since_whole = 0;
	thread->whole_next = false;
	equal = count_equal(check, thread, result.n_frames);
	check->counts.comparisons++;
	check->counts.frames += equal;
	check->counts.whole += wanted > n_true(thread);
	if (n_true(thread) > check->counts.deepest)
		check->counts.deepest = n_true(thread);
	if (equal == result.n_frames) {
		if (result.stop == DWUNW_STOP_ROOT && equal == n_true(thread))
			return 0;
		if (result.stop == DWUNW_STOP_DEPTH && equal < n_true(thread))
			return 0;
		if (result.stop == DWUNW_STOP_NO_CFI && result.detail == 0)
			return count_no_cfi(check, &check->frames[equal - 1]);
	}
	return add_mismatch(check, thread, equal, &result);
}
