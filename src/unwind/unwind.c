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
#include "unwind/rule_cache.h"
#include "unwind/sigreturn.h"
#include "unwind/snapshot.h"

struct dwunw_reader {
	const struct unwind_snapshot *snapshot;
	unsigned int word_size;
	bool out_of_slice; /* the last miss: only because the slice was too short */
	int error;	   /* and its errno */
	uint64_t address;
};

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
	int err = snapshot_read(snapshot, addr, reader->word_size, &value);

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
	if (reader->word_size == sizeof(*ret) && off < snapshot->slice_size &&
	    snapshot->slice_size - off >= sizeof(*ret)) {
		memcpy(ret, snapshot->slice + off, sizeof(*ret));
		return 0;
	}
	return read_elsewhere(reader, addr, ret);
}

struct unwinder {
	const struct unwind_snapshot *snapshot;
	const struct dwunw_step_arch *arch;
	struct dwunw_reader reader;
	struct dwunw_step_state state;
	/*
	 * Most stacks need pc, sp and fp alone, which is several times as fast. One that has a rule that reads more is walked
	 * again from its innermost frame, with all registers.
	 */
	bool full;
	struct dwunw_rule rule;
	/* of the current frame */
	uint32_t flags;			   /* DWUNW_FRAME_* */
	const struct mapping *mapping;	   /* that its code is in, or NULL */
	const char *module;		   /* its name, or NULL */
	const struct dwunw_rule *in_force; /* `rule`, or one in the cache */
	bool is_general; /* it holds for every frame at its address: no expression was evaluated */
	int error;	 /* negative errno: why it has no rule */
	struct cfi_row row;
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

/* The frame is what a signal handler returns to: DWUNW_CONTINUE, else what is given. */
static int step_by_sigreturn(struct unwinder *u, int otherwise)
{
	if (sigreturn_rule(arch_native(), u->snapshot, u->state.pc, &u->rule))
		return otherwise;
	u->flags |= DWUNW_FRAME_EXACT;
	return DWUNW_CONTINUE;
}

/* The frame has no CFI: see dwunw_no_cfi() of walk.bpf.h. */
static int step_by_frame_pointer(struct unwinder *u)
{
	if (step_by_sigreturn(u, DWUNW_STOP_NO_CFI) == DWUNW_CONTINUE)
		return DWUNW_CONTINUE;
	u->flags |= DWUNW_FRAME_FP;
	/* In a frame that made no call the frame pointer may be any register. */
	if (u->state.pc_exact)
		return DWUNW_STOP_NO_CFI;
	if (u->state.fp == 0)
		return DWUNW_STOP_ROOT;
	if (!dwunw_fp_is_sane(&u->state, u->arch))
		return DWUNW_STOP_NO_CFI;
	memset(&u->rule, 0, sizeof(u->rule));
	u->rule.frame = u->arch->fp_frame;
	return DWUNW_CONTINUE;
}

static int rule_at(struct unwinder *u, const struct cfi *cfi, uint64_t pc)
{
	uint64_t load_bias = u->mapping->load_bias;
	const struct arch *arch = cfi_arch(cfi);
	int err = cfi_find_row(cfi, pc - load_bias, &u->row);

	if (err)
		return err;
	rule_from_row(arch, &u->row, &u->rule);
	u->is_general = !rule_has_expression(&u->rule);
	if (!u->is_general && u->full)
		return rule_resolve(arch, &u->row, &u->state, u->snapshot, load_bias, &u->rule);
	return 0;
}

static const struct mapping *find_code(const struct unwinder *u, uint64_t pc)
{
	const struct mapping *mapping = process_find_mapping(u->snapshot->process, pc);

	if (!mapping || !mapping->executable)
		return NULL;
	if (u->snapshot->newest && mapping->since > u->snapshot->newest)
		return NULL;
	return mapping;
}

/* Finds the rule of the frame: DWUNW_CONTINUE or a stop reason. */
static int look_up(struct unwinder *u)
{
	uint64_t pc = dwunw_lookup_pc(&u->state);
	const struct cfi *cfi;

	u->mapping = find_code(u, pc);
	if (!u->mapping || u->state.pc == u->snapshot->trampoline) {
		if (see_through_trampoline(u))
			return step_by_sigreturn(u, DWUNW_STOP_NO_MAPPING);
		u->flags |= DWUNW_FRAME_TRAMPOLINE;
		pc = u->state.pc - 1;
		u->mapping = find_code(u, pc);
		if (!u->mapping)
			return DWUNW_STOP_NO_MAPPING;
	}
	u->error = u->mapping->error;
	if (u->error && u->error != -ENOEXEC) /* JIT code can be in a file */
		return DWUNW_STOP_NO_TABLE;
	u->error = u->mapping->module ? module_cfi(u->mapping->module, &cfi) : -ENOENT;
	if (u->error == -ENOMEM)
		return DWUNW_STOP_NO_TABLE;
	if (u->error)
		return step_by_frame_pointer(u);
	u->error = rule_at(u, cfi, pc);
	if (u->error == 0)
		return DWUNW_CONTINUE;
	/* no call ends at pc: see dwunw_look_up() of walk.bpf.h */
	if (pc != u->state.pc && rule_at(u, cfi, u->state.pc) == 0) {
		u->is_general = false; /* not for a frame that made a call */
		u->flags |= DWUNW_FRAME_EXACT;
		return (u->rule.frame.flags & DWUNW_RULE_SIGNAL) ? DWUNW_CONTINUE : DWUNW_STOP_ROOT;
	}
	return step_by_frame_pointer(u);
}

static void start(struct unwinder *u, const struct unwind_snapshot *snapshot, bool full)
{
	const struct dwunw_registers *registers = snapshot->registers;

	memset(u, 0, offsetof(struct unwinder, row));
	u->full = full;
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
	u->state.ra_mask = snapshot->ra_mask ? snapshot->ra_mask : u->arch->ra_mask;
}

/* As dwunw_frame.module. */
static const char *module_name(const struct unwinder *u)
{
	const struct unwind_snapshot *snapshot = u->snapshot;

	if (!u->mapping || !snapshot->names)
		return NULL;
	return snapshot->names[u->mapping - snapshot->process->mappings];
}

/* look_up() with what it found before. */
static int look_up_cached(struct unwinder *u)
{
	const struct unwind_snapshot *snapshot = u->snapshot;
	uint64_t pc = dwunw_lookup_pc(&u->state);
	struct rule_cache_entry *entry =
		snapshot->rules ? rule_cache_place(snapshot->rules, snapshot->epoch, pc) : NULL;
	int stop;

	if (entry && entry->pc == pc && entry->epoch == snapshot->epoch) {
		u->in_force = &entry->rule;
		u->module = entry->module;
		return DWUNW_CONTINUE;
	}
	u->is_general = false;
	stop = look_up(u);
	u->in_force = &u->rule;
	u->module = module_name(u);
	/* a return probe's trampoline hides another address each time */
	if (entry && stop == DWUNW_CONTINUE && u->is_general && pc == dwunw_lookup_pc(&u->state))
		*entry = (struct rule_cache_entry){snapshot->epoch, pc, u->module, u->rule};
	return stop;
}

/* One frame, recorded in `out` unless that is NULL: DWUNW_CONTINUE or a stop reason. */
static int walk_frame(struct unwinder *u, struct dwunw_frame *out)
{
	uint64_t sp = u->state.sp;
	__u64 cfa = 0;
	int stop;

	u->flags = u->state.pc_exact ? DWUNW_FRAME_EXACT : 0;
	u->error = 0;
	stop = look_up_cached(u);
	if (stop == DWUNW_CONTINUE && (u->in_force->frame.flags & DWUNW_RULE_SIGNAL))
		u->flags |= DWUNW_FRAME_SIGNAL;
	if (out)
		*out = (struct dwunw_frame){
			.pc = u->state.pc, .sp = sp, .flags = u->flags, .module = u->module};
	if (stop == DWUNW_CONTINUE)
		stop = dwunw_step(&u->state, u->arch, &u->reader, &u->in_force->frame,
				  u->full ? u->in_force : NULL, &cfa);
	if (out) {
		out->cfa = cfa;
		out->ra = stop == DWUNW_CONTINUE ? u->state.pc : 0;
	}
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
	ret->n_frames = 0;
	for (size_t frame = 0;; frame++) {
		struct dwunw_frame *out = frame >= skip ? &frames[frame - skip] : NULL;
		int stop;

		if (out && ret->n_frames == max_frames)
			return DWUNW_STOP_DEPTH;
		stop = walk_frame(u, out);
		ret->n_frames += out != NULL;
		if (stop != DWUNW_CONTINUE)
			return stop;
	}
}

void unwind_snapshot(const struct unwind_snapshot *snapshot, unsigned int skip, size_t max_frames,
		     struct dwunw_frame *frames, struct dwunw_unwind_result *ret)
{
	struct unwinder u;
	int stop;

	start(&u, snapshot, false);
	stop = walk(&u, skip, max_frames, frames, ret);
	if (stop == DWUNW_STOP_REGISTER || stop == DWUNW_STOP_EXPRESSION) {
		start(&u, snapshot, true);
		stop = walk(&u, skip, max_frames, frames, ret);
	}
	finish(&u, stop, ret);
}
