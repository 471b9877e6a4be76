/* SPDX-License-Identifier: BSD-2-Clause */
#include "unwind/unwind.h"

#include <errno.h>
#include <string.h>

#include <dwunw/step.h>

#include "dwunw_arch.h"
#include "unwind/snapshot.h"
#include "unwind/table_view.h"
#include "unwind/unwinder.h"

int snapshot_read(const struct unwind_snapshot *snapshot, uint64_t addr, unsigned int size,
		  uint64_t *ret)
{
	uint64_t off = addr - snapshot->slice_start;
	uint64_t value = 0;
	uint8_t *to = (uint8_t *)&value;

	/* the snapshot is of this machine, whose byte order is the target's */
	if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
		to += sizeof(value) - size;
	if (off < snapshot->slice_size && snapshot->slice_size - off >= size) {
		memcpy(to, snapshot->slice + off, size);
	} else {
		int err = snapshot->read ? snapshot->read(snapshot->read_arg, addr, to, size)
					 : -EFAULT;

		if (err)
			return err < 0 ? err : -EFAULT;
	}
	*ret = value;
	return 0;
}

static int read_elsewhere(struct dwunw_reader *reader, __u64 addr, __u64 *ret)
{
	const struct unwind_snapshot *snapshot = reader->snapshot;
	uint64_t value;
	int err = snapshot_read(snapshot, addr, DWUNW_ARCH_NATIVE.word_size, &value);

	if (err) {
		reader->error = err;
		reader->address = addr;
		reader->out_of_slice = !snapshot->read && addr >= snapshot->slice_start;
		return err;
	}
	*ret = value;
	return 0;
}

static inline int dwunw_read_word(struct dwunw_reader *reader, __u64 addr, __u64 *ret)
{
	const struct unwind_snapshot *snapshot = reader->snapshot;
	uint64_t off = addr - snapshot->slice_start;

	/* Nearly all words: a copy of known size is one instruction. */
	if (DWUNW_ARCH_NATIVE.word_size == sizeof(*ret) && off < snapshot->slice_size &&
	    snapshot->slice_size - off >= sizeof(*ret)) {
		memcpy(ret, snapshot->slice + off, sizeof(*ret));
		return 0;
	}
	return read_elsewhere(reader, addr, ret);
}

bool registers_are_enough(const struct dwunw_registers *registers)
{
	uint32_t needed = 1u << DWUNW_ARCH_NATIVE.sp | 1u << DWUNW_ARCH_NATIVE.fp;

	return (registers->valid & needed) == needed;
}

static void start(struct unwinder *u, const struct unwind_snapshot *snapshot, bool full)
{
	const struct dwunw_registers *registers = snapshot->registers;

	memset(u, 0, sizeof(*u));
	u->full = full;
	u->snapshot = snapshot;
	u->reader.snapshot = snapshot;
	u->state.pc = registers->pc;
	u->state.sp = registers->regs[DWUNW_ARCH_NATIVE.sp];
	u->state.fp = registers->regs[DWUNW_ARCH_NATIVE.fp];
	memcpy(u->state.regs, registers->regs, sizeof(u->state.regs));
	u->state.valid = registers->valid;
	u->state.pc_exact = 1;
	u->state.ra_mask = snapshot->ra_mask ? snapshot->ra_mask : DWUNW_ARCH_NATIVE.ra_mask;
}

/* Field by field: clearing the struct first costs more than a step. The rest is known after the step. */
static inline void set_frame(struct dwunw_frame *out, const struct dwunw_step_state *state,
			     uint32_t flags, const struct frame_module *module)
{
	out->pc = state->pc;
	out->sp = state->sp;
	out->flags = flags;
	out->module = module->path;
	out->module_id = module->id;
	out->vaddr = module->id ? state->pc - module->load_bias : 0;
}

static int step_by_fp(struct unwinder *u, __u64 *cfa)
{
	struct dwunw_frame_rule room;
	int stop = dwunw_step_by_fp(&u->state, &DWUNW_ARCH_NATIVE, &u->reader,
				    u->snapshot->entry_sp, &room, cfa);

	if (stop == DWUNW_CONTINUE)
		u->flags |= DWUNW_FRAME_FP;
	return stop;
}

/* To the frame's caller, by its rule, if `stop` is DWUNW_CONTINUE, or by frame pointer: DWUNW_CONTINUE or a stop reason. */
static int step(struct unwinder *u, int stop, __u64 *cfa)
{
	const uint32_t by_fp = u->snapshot->by_fp;

	if (stop == DWUNW_CONTINUE && dwunw_fp_comes_first(&u->state, by_fp, &u->in_force->frame) &&
	    step_by_fp(u, cfa) == DWUNW_CONTINUE)
		return DWUNW_CONTINUE;
	if (stop == DWUNW_CONTINUE)
		stop = dwunw_step(&u->state, &DWUNW_ARCH_NATIVE, &u->reader, &u->in_force->frame,
				  u->full ? u->in_force : NULL, cfa);
	if (by_fp && stop != DWUNW_CONTINUE && stop != DWUNW_STOP_ROOT &&
	    step_by_fp(u, cfa) == DWUNW_CONTINUE)
		return DWUNW_CONTINUE;
	return stop;
}

/* One frame, recorded in `out` unless that is NULL: DWUNW_CONTINUE or a stop reason. */
static int walk_frame(struct unwinder *u, struct dwunw_frame *out)
{
	uint64_t sp = u->state.sp; /* frame_rule() may move it */
	__u64 cfa = 0;
	int stop;

	u->flags = u->state.pc_exact ? DWUNW_FRAME_EXACT : 0;
	u->error = 0;
	stop = frame_rule(u);
	if (stop == DWUNW_CONTINUE && (u->in_force->frame.flags & DWUNW_RULE_SIGNAL))
		u->flags |= DWUNW_FRAME_SIGNAL;
	if (out)
		set_frame(out, &u->state, u->flags, &u->module);
	stop = step(u, stop, &cfa);
	if (out) {
		out->flags = u->flags;
		out->sp = sp;
		out->cfa = cfa;
		out->ra = stop == DWUNW_CONTINUE ? u->state.pc : 0;
	}
	return stop;
}

/*
 * Frames whose rules `tables` remember, up to the first with another: DWUNW_CONTINUE; or why the stack ends. The registers of the frame are
 * variables of this function, which the compiler keeps in those of the machine.
 */
static int walk_remembered(struct unwinder *u, struct table_view *tables, size_t max_frames,
			   struct dwunw_frame *frames, size_t *n_frames)
{
	struct dwunw_step_state state = {.pc = u->state.pc,
					 .sp = u->state.sp,
					 .fp = u->state.fp,
					 .fp_lost = u->state.fp_lost,
					 .pc_exact = u->state.pc_exact,
					 .ra_mask = u->state.ra_mask};
	union packed_rule packed;
	int stop = DWUNW_CONTINUE;
	size_t n = *n_frames;

	while (n < max_frames && stop == DWUNW_CONTINUE &&
	       table_view_find(tables, dwunw_lookup_pc(&state), &packed)) {
		const struct dwunw_frame_rule rule = packed_rule_unpack(packed, &DWUNW_ARCH_NATIVE);
		struct dwunw_frame *out = &frames[n++];
		__u64 cfa = 0;

		set_frame(out, &state, state.pc_exact ? DWUNW_FRAME_EXACT : 0,
			  &u->snapshot->modules[packed.mapping]);
		stop = dwunw_step(&state, &DWUNW_ARCH_NATIVE, &u->reader, &rule, NULL, &cfa);
		out->cfa = cfa;
		out->ra = stop == DWUNW_CONTINUE ? state.pc : 0;
	}
	u->state.pc = state.pc;
	u->state.sp = state.sp;
	u->state.fp = state.fp;
	u->state.fp_lost = state.fp_lost;
	u->state.pc_exact = state.pc_exact;
	if (n != *n_frames)
		u->state.valid = 0;
	*n_frames = n;
	return stop;
}

static void finish(const struct unwinder *u, int stop, struct dwunw_unwind_result *ret)
{
	ret->stop = stop;
	ret->detail = 0;
	ret->address = u->state.pc;
	if (stop == DWUNW_STOP_NO_TABLE || (stop == DWUNW_STOP_NO_CFI && u->error == -EINVAL))
		ret->detail = u->error;
	if (stop == DWUNW_STOP_BAD_READ) {
		ret->address = u->reader.address;
		if (u->reader.out_of_slice)
			ret->stop = DWUNW_STOP_SLICE;
		else
			ret->detail = u->reader.error;
	}
}

static int walk(struct unwinder *u, unsigned int skip, size_t max_frames,
		struct dwunw_frame *frames, struct dwunw_unwind_result *ret)
{
	struct table_view *tables = u->snapshot->tables;
	int stop;

	ret->n_frames = 0;
	do {
		if (tables && !u->full && !skip) {
			stop = walk_remembered(u, tables, max_frames, frames, &ret->n_frames);
			if (stop != DWUNW_CONTINUE)
				break;
		}
		if (skip) {
			skip--;
			stop = walk_frame(u, NULL);
		} else if (ret->n_frames < max_frames) {
			stop = walk_frame(u, &frames[ret->n_frames++]);
		} else {
			stop = DWUNW_STOP_DEPTH;
		}
	} while (stop == DWUNW_CONTINUE);
	return stop;
}

void unwind_snapshot(const struct unwind_snapshot *snapshot, unsigned int skip, size_t max_frames,
		     struct dwunw_frame *frames, struct dwunw_unwind_result *ret)
{
	struct unwinder u;
	int stop;

	start(&u, snapshot, snapshot->by_fp != DWUNW_FP_NO_MORE);
	stop = walk(&u, skip, max_frames, frames, ret);
	if (u.full) {
		finish(&u, stop, ret);
		return;
	}
	if (stop == DWUNW_STOP_REGISTER || stop == DWUNW_STOP_EXPRESSION) {
		start(&u, snapshot, true);
		stop = walk(&u, skip, max_frames, frames, ret);
	}
	finish(&u, stop, ret);
}
