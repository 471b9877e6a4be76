/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include <dwunw/step_types.h>

#include "arch/arch.h"
#include "cfi/cfi.h"
#include "dwunw_arch.h"
#include "process/process.h"
#include "table/table.h"
#include "unwind/resolve.h"
#include "unwind/rule_cache.h"
#include "unwind/sigreturn.h"
#include "unwind/table_view.h"
#include "unwind/unwind.h"
#include "unwind/unwinder.h"

/* Puts back the return address that a uretprobe took off the stack. */
static int see_through_trampoline(struct unwinder *u)
{
	const struct unwind_snapshot *snapshot = u->snapshot;
	uint64_t slot = u->state.sp - DWUNW_ARCH_NATIVE.return_size;

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

/* The frame has no CFI: see dwunw_no_cfi() of look_up.bpf.h. */
static int step_by_frame_pointer(struct unwinder *u)
{
	if (step_by_sigreturn(u, DWUNW_STOP_NO_CFI) == DWUNW_CONTINUE)
		return DWUNW_CONTINUE;
	/* In a frame that made no call the frame pointer may be any register. */
	if (u->state.pc_exact && u->state.sp != u->snapshot->entry_sp)
		return DWUNW_STOP_NO_CFI;
	if (u->state.pc_exact) {
		memset(&u->rule, 0, sizeof(u->rule));
		u->rule.frame = dwunw_null_call_rule(&DWUNW_ARCH_NATIVE);
		return DWUNW_CONTINUE;
	}
	u->flags |= DWUNW_FRAME_FP;
	if (u->state.fp_lost)
		return (int)u->state.fp_lost;
	if (u->state.fp == 0)
		return DWUNW_STOP_ROOT;
	if (!dwunw_fp_is_sane(&u->state, &DWUNW_ARCH_NATIVE))
		return DWUNW_STOP_NO_CFI;
	memset(&u->rule, 0, sizeof(u->rule));
	u->rule.frame = DWUNW_ARCH_NATIVE.fp_frame;
	return DWUNW_CONTINUE;
}

/* Not inlined: it needs much more stack than walks over tables, which never come here. */
static __attribute__((noinline)) int rule_from_cfi(struct unwinder *u, uint64_t pc)
{
	uint64_t load_bias = u->mapping->load_bias;
	const struct arch *arch;
	const struct cfi *cfi;
	struct cfi_row row;
	int err = module_cfi(u->mapping->module, &cfi);

	if (!err)
		err = cfi_find_row(cfi, pc - load_bias, &row);
	if (err)
		return err;
	arch = cfi_arch(cfi);
	rule_from_row(arch, &row, &u->rule);
	u->is_general = !rule_has_expression(&u->rule);
	if (!u->is_general && u->full)
		return rule_resolve(arch, &row, &u->state, u->snapshot, load_bias, &u->rule);
	return 0;
}

static int rule_from_table(struct unwinder *u, uint64_t pc)
{
	const struct dwunw_rule *rule;

	if (!u->mapping->module->table)
		return -ENOENT;
	rule = table_find_rule(u->mapping->module->table, pc - u->mapping->load_bias);
	if (rule->frame.cfa_kind == DWUNW_NO_RULE)
		return -ENOENT;
	u->rule = *rule;
	u->is_general = true;
	return 0;
}

/* -ENOENT: the code has no call frame information; -EINVAL: it makes no sense; -ENOMEM. */
static int rule_at(struct unwinder *u, uint64_t pc)
{
	if (!u->mapping->module)
		return -ENOENT;
	return u->snapshot->tables ? rule_from_table(u, pc) : rule_from_cfi(u, pc);
}

static const struct mapping *find_code(const struct unwinder *u, uint64_t pc)
{
	const struct mapping *mapping = process_find_mapping(u->snapshot->process, pc);

	if (!mapping || !mapping->executable)
		return NULL;
	if (u->snapshot->permanent_only && !mapping->permanent)
		return NULL;
	return mapping;
}

/* Finds the rule of the frame: DWUNW_CONTINUE or a stop reason. */
static int look_up(struct unwinder *u)
{
	uint64_t pc = dwunw_lookup_pc(&u->state);

	u->mapping = find_code(u, pc);
	if (!u->mapping && dwunw_is_null_call(&u->state)) {
		memset(&u->rule, 0, sizeof(u->rule));
		u->rule.frame = dwunw_null_call_rule(&DWUNW_ARCH_NATIVE);
		return DWUNW_CONTINUE;
	}
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
	u->error = rule_at(u, pc);
	if (u->error == 0)
		return DWUNW_CONTINUE;
	if (u->error == -ENOMEM)
		return DWUNW_STOP_NO_TABLE;
	/* no call ends at pc: see dwunw_look_up() of look_up.bpf.h */
	if (pc != u->state.pc && rule_at(u, u->state.pc) == 0) {
		u->is_general = false; /* not for a frame that made a call */
		u->flags |= DWUNW_FRAME_EXACT;
		return (u->rule.frame.flags & DWUNW_RULE_SIGNAL) ? DWUNW_CONTINUE : DWUNW_STOP_ROOT;
	}
	return step_by_frame_pointer(u);
}

static struct frame_module module_of(const struct unwinder *u)
{
	const struct unwind_snapshot *snapshot = u->snapshot;

	if (!u->mapping || !snapshot->modules)
		return (struct frame_module){0};
	return snapshot->modules[u->mapping - snapshot->process->mappings];
}

struct frame_module frame_module_of(const struct mapping *mapping, const char *path)
{
	struct frame_module ret = {.path = path};

	if (mapping->module) {
		ret.load_bias = mapping->load_bias;
		ret.id = mapping->module->id;
	}
	return ret;
}

int frame_rule(struct unwinder *u)
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
	u->module = module_of(u);
	/* a return probe's trampoline hides another address each time */
	if (stop != DWUNW_CONTINUE || !u->is_general || pc != dwunw_lookup_pc(&u->state))
		return stop;
	if (entry)
		*entry = (struct rule_cache_entry){snapshot->epoch, pc, u->module, u->rule};
	if (snapshot->tables)
		table_view_keep(snapshot->tables, pc, u->mapping - snapshot->process->mappings,
				&u->rule.frame);
	return stop;
}
