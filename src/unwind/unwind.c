/* SPDX-License-Identifier: BSD-2-Clause */
#include "unwind/unwind.h"

#include <errno.h>
#include <string.h>

#include <dwunw/step.h>

#include "arch/arch.h"
#include "cfi/cfi.h"
#include "process/process.h"
#include "table/table.h"
#include "unwind/resolve.h"
#include "unwind/snapshot.h"

struct dwunw_reader {
	const struct unwind_snapshot *snapshot;
	unsigned int word_size;
	bool out_of_slice; /* a read missed only because the slice was too short */
};

int snapshot_read(const struct unwind_snapshot *snapshot, uint64_t addr, unsigned int size,
		  uint64_t *ret)
{
	uint64_t off = addr - snapshot->slice_start;
	uint64_t value = 0;

	if (off >= snapshot->slice_size || snapshot->slice_size - off < size)
		return -EFAULT;
		/* the snapshot is of this machine, whose byte order is the target's */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	memcpy(&value, snapshot->slice + off, size);
#else
	memcpy((uint8_t *)&value + sizeof(value) - size, snapshot->slice + off, size);
#endif
	*ret = value;
	return 0;
}

static inline int dwunw_read_word(struct dwunw_reader *reader, __u64 addr, __u64 *ret)
{
	uint64_t value;

	if (snapshot_read(reader->snapshot, addr, reader->word_size, &value)) {
		reader->out_of_slice = addr >= reader->snapshot->slice_start;
		return -1;
	}
	*ret = value;
	return 0;
}

struct unwinder {
	const struct unwind_snapshot *snapshot;
	const struct dwunw_step_arch *arch;
	struct dwunw_reader reader;
	struct dwunw_step_state state;
	struct dwunw_rule rule;
	struct cfi_row row;
	uint32_t flags; /* DWUNW_FRAME_* of the current frame */
};

/* Puts back the return address that a uretprobe took off the stack. */
static int see_through_trampoline(struct unwinder *u)
{
	const struct unwind_snapshot *snapshot = u->snapshot;
	uint64_t slot = u->state.sp - u->arch->return_size;

	if (!snapshot->trampoline || u->state.pc != snapshot->trampoline)
		return -ENOENT;
	for (size_t i = 0; i < snapshot->n_returns; i++) {
		if (snapshot->returns[i].slot == slot &&
		    snapshot->returns[i].address != snapshot->trampoline) {
			u->state.pc = snapshot->returns[i].address;
			return 0;
		}
	}
	return -ENOENT;
}

/* The frame has no CFI: see dwunw_no_cfi() of walk.bpf.h. */
static int step_by_frame_pointer(struct unwinder *u, size_t frame)
{
	u->flags |= DWUNW_FRAME_FP;
	if (u->state.fp == 0 && frame > 0)
		return DWUNW_STOP_ROOT;
	if (frame == 0 || !dwunw_fp_is_sane(&u->state, u->arch))
		return DWUNW_STOP_NO_CFI;
	memset(&u->rule, 0, sizeof(u->rule));
	u->rule.frame = u->arch->fp_frame;
	return DWUNW_CONTINUE;
}

static int rule_at(struct unwinder *u, const struct mapping *mapping, uint64_t pc)
{
	const struct arch *arch = cfi_arch(mapping->module->cfi);
	int err = cfi_find_row(mapping->module->cfi, pc - mapping->load_bias, &u->row);

	if (err)
		return err;
	rule_from_row(arch, &u->row, &u->rule);
	if (rule_has_expression(&u->rule))
		return rule_resolve(arch, &u->row, &u->state, u->snapshot, mapping->load_bias,
				    &u->rule);
	return 0;
}

/* Finds the rule of the frame: DWUNW_CONTINUE or a stop reason. */
static int look_up(struct unwinder *u, size_t frame)
{
	const struct process *process = u->snapshot->process;
	uint64_t pc = dwunw_lookup_pc(&u->state);
	const struct mapping *mapping = process_find_mapping(process, pc);

	if (!mapping || !mapping->executable || u->state.pc == u->snapshot->trampoline) {
		if (see_through_trampoline(u))
			return DWUNW_STOP_NO_MAPPING;
		u->flags |= DWUNW_FRAME_TRAMPOLINE;
		pc = u->state.pc - 1;
		mapping = process_find_mapping(process, pc);
		if (!mapping || !mapping->executable)
			return DWUNW_STOP_NO_MAPPING;
	}
	if (mapping->error)
		return DWUNW_STOP_NO_TABLE;
	if (!mapping->module || !mapping->module->cfi)
		return step_by_frame_pointer(u, frame);
	if (rule_at(u, mapping, pc) == 0)
		return DWUNW_CONTINUE;
	/* no call ends at pc: see dwunw_look_up() of walk.bpf.h */
	if (pc != u->state.pc && rule_at(u, mapping, u->state.pc) == 0) {
		u->flags |= DWUNW_FRAME_EXACT;
		return (u->rule.frame.flags & DWUNW_RULE_SIGNAL) ? DWUNW_CONTINUE : DWUNW_STOP_ROOT;
	}
	return step_by_frame_pointer(u, frame);
}

static void start(struct unwinder *u, const struct unwind_snapshot *snapshot)
{
	const struct dwunw_registers *registers = snapshot->registers;

	memset(u, 0, sizeof(*u));
	u->snapshot = snapshot;
	u->arch = arch_native()->step;
	u->reader.snapshot = snapshot;
	u->reader.word_size = u->arch->word_size;
	u->state.pc = registers->pc;
	u->state.sp = registers->regs[u->arch->sp];
	u->state.fp = registers->regs[u->arch->fp];
	memcpy(u->state.regs, registers->regs, sizeof(u->state.regs));
	u->state.valid = registers->valid;
	u->state.pc_exact = 1;
}

int unwind_snapshot(const struct unwind_snapshot *snapshot, unsigned int skip, size_t max_frames,
		    struct dwunw_frame *frames, size_t *n_frames)
{
	struct unwinder u;
	size_t n = 0;

	start(&u, snapshot);
	*n_frames = 0;
	for (size_t frame = 0;; frame++) {
		struct dwunw_frame *out = frame >= skip ? &frames[n] : NULL;
		__u64 cfa = 0;
		int stop;

		if (out && n == max_frames)
			return DWUNW_STOP_DEPTH;
		u.flags = u.state.pc_exact ? DWUNW_FRAME_EXACT : 0;
		stop = look_up(&u, frame);
		if (stop == DWUNW_CONTINUE && (u.rule.frame.flags & DWUNW_RULE_SIGNAL))
			u.flags |= DWUNW_FRAME_SIGNAL;
		if (out) {
			*out = (struct dwunw_frame){
				.pc = u.state.pc, .sp = u.state.sp, .flags = u.flags};
			*n_frames = ++n;
		}
		if (stop == DWUNW_CONTINUE)
			stop = dwunw_step(&u.state, u.arch, &u.reader, &u.rule.frame, &u.rule,
					  &cfa);
		if (out) {
			out->cfa = cfa;
			out->ra = stop == DWUNW_CONTINUE ? u.state.pc : 0;
		}
		if (stop == DWUNW_STOP_BAD_READ && u.reader.out_of_slice)
			return DWUNW_STOP_SLICE;
		if (stop != DWUNW_CONTINUE)
			return stop;
	}
}
