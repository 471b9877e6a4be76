/* SPDX-License-Identifier: BSD-2-Clause */
#include "snapshot.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include <dwunw/dwunw.h>
#include <dwunw/step_types.h>

#include "arch/arch.h"
#include "cfi/cfi.h"
#include "process/process.h"
#include "table/table.h"
#include "unwind/resolve.h"
#include "unwind/unwind.h"
#include "walker.h"

enum { FRAME_WORDS = 3, SP_WORD = 2 }; /* as struct dwunw_stack_event has them with has_sp */

#define TRAMPOLINE 0x7ffff0000000ULL /* nothing is mapped there */
#define RED_ZONE 128		     /* psABI AMD64 3.2.2; elsewhere as good as any */

static uint64_t stack_pointer(const struct snapshot *snapshot)
{
	const struct arch *arch = arch_native();

	return snapshot->words[arch->user_regs[arch->step->sp]];
}

int snapshot_take(pid_t tid, struct snapshot *ret)
{
	struct iovec set = {ret->words, sizeof(ret->words)}, local, remote;
	ssize_t n;

	if (ptrace(PTRACE_GETREGSET, tid, (void *)NT_PRSTATUS, &set))
		return -errno;
	ret->n_words = set.iov_len / sizeof(ret->words[0]);
	if (ret->n_words != arch_native()->n_user_words)
		return -ENOTSUP;
	ret->memory_start = (stack_pointer(ret) - RED_ZONE) & ~(SNAPSHOT_PAGE - 1ULL);
	ret->memory_size = 0;
	ret->trampoline = ret->n_returns = ret->skip = 0;
	while (ret->memory_size < SNAPSHOT_SIZE) {
		local = (struct iovec){ret->memory + ret->memory_size, SNAPSHOT_PAGE};
		remote = (struct iovec){(void *)(ret->memory_start + ret->memory_size),
					SNAPSHOT_PAGE};
		n = process_vm_readv(tid, &local, 1, &remote, 1, 0);
		if (n != SNAPSHOT_PAGE)
			break;
		ret->memory_size += SNAPSHOT_PAGE;
	}
	return ret->memory_size ? 0 : -EFAULT;
}

static int read_memory(void *arg, uint64_t addr, void *buf, size_t size)
{
	const struct snapshot *snapshot = arg;
	uint64_t off = addr - snapshot->memory_start;

	if (off >= snapshot->memory_size || snapshot->memory_size - off < size)
		return -EFAULT;
	memcpy(buf, snapshot->memory + off, size);
	return 0;
}

static void walk_in_user_space(const struct snapshot *snapshot, struct dwunw_frame *frames,
			       struct dwunw_unwind_result *ret)
{
	const struct arch *arch = arch_native();
	struct dwunw_registers registers = {.pc = snapshot->words[arch->user_pc]};
	struct unwind_snapshot input = {
		.process = snapshot->process,
		.permanent_only = snapshot->stale,
		.by_fp = snapshot->by_fp,
		.registers = &registers,
		.read = read_memory,
		.read_arg = (void *)snapshot,
		.trampoline = snapshot->trampoline,
		.returns = snapshot->returns,
		.n_returns = snapshot->n_returns,
	};

	for (unsigned int i = 0; i < DWUNW_MAX_REGS; i++)
		registers.regs[i] = snapshot->words[arch->user_regs[i]];
	registers.valid = (1u << DWUNW_MAX_REGS) - 1;
	unwind_snapshot(&input, snapshot->skip, WALKER_DEPTH, frames, ret);
}

static struct dwunw_slot slot; /* like those of a CPU, one for all */

static struct dwunw_memo memo; /* of the thread that the last snapshot was of, or of another */

static void walk_as_kernel(const struct snapshot *snapshot, enum walker_how how)
{
	const struct walker_input input = {
		.registers = snapshot->words,
		.registers_size = snapshot->n_words * sizeof(snapshot->words[0]),
		.memory_start = snapshot->memory_start,
		.memory_size = snapshot->memory_size,
		.memory = snapshot->memory,
		.mappings = snapshot->mappings,
		.trampoline = snapshot->trampoline,
		.returns = snapshot->returns,
		.n_returns = snapshot->n_returns,
		.memo = &memo,
	};

	slot.skip = snapshot->skip;
	slot.stale = snapshot->stale;
	slot.by_fp = snapshot->by_fp;
	walker_walk(&input, how, &slot);
}

static void forget_cached(void)
{
	memset(slot.cache, 0, sizeof(slot.cache));
}

static const char *stop_name(unsigned int stop)
{
#define NAME(name, text, finish) #name,
	static const char *const names[] = {DWUNW_STOP_REASONS(NAME)};
#undef NAME
	return stop < DWUNW_N_STOP_REASONS ? names[stop] : "?";
}

static bool same_frame(size_t i, const struct dwunw_frame *frame)
{
	return DWUNW_FRAME_PC(slot.frames[FRAME_WORDS * i]) == DWUNW_FRAME_PC(frame->pc) &&
	       DWUNW_FRAME_FLAGS(slot.frames[FRAME_WORDS * i]) == frame->flags &&
	       slot.frames[FRAME_WORDS * i + SP_WORD] == frame->sp;
}

/* The kernel side says of no file that the frame is in it, or of the one that is mapped there. */
static bool is_right_file(const struct snapshot *snapshot, size_t i)
{
	uint64_t word = slot.frames[FRAME_WORDS * i], code = slot.frames[FRAME_WORDS * i + 1];
	uint64_t pc = DWUNW_FRAME_PC(word);
	const struct mapping *mapping = process_find_mapping(
		snapshot->process, pc - !(DWUNW_FRAME_FLAGS(word) & DWUNW_FRAME_EXACT));

	if (code & DWUNW_CODE_NO_TABLE)
		return true;
	return mapping && mapping->module && mapping->module->id == code >> DWUNW_CODE_SHIFT &&
	       pc - mapping->load_bias == (code & DWUNW_CODE_MASK);
}

static void print_difference(const struct snapshot *snapshot, const char *mode, size_t first,
			     const struct dwunw_frame *frames,
			     const struct dwunw_unwind_result *result)
{
	fprintf(stderr, "%s, %s: kernel %u frames, %s; user space %zu, %s (%#llx)\n",
		snapshot->target, mode, slot.event.n_frames, stop_name(slot.stop), result->n_frames,
		stop_name(result->stop), (unsigned long long)result->address);
	for (size_t i = first ? first - 1 : 0; i <= first + 1; i++) {
		if (i < slot.event.n_frames)
			fprintf(stderr, "  kernel #%zu %016llx flags %x sp %llx\n", i,
				(unsigned long long)DWUNW_FRAME_PC(slot.frames[FRAME_WORDS * i]),
				DWUNW_FRAME_FLAGS(slot.frames[FRAME_WORDS * i]),
				(unsigned long long)slot.frames[FRAME_WORDS * i + SP_WORD]);
		if (i < result->n_frames) {
			const struct mapping *mapping =
				process_find_mapping(snapshot->process, frames[i].pc);

			fprintf(stderr, "  user   #%zu %016llx flags %x sp %llx cfa %llx %s+%llx\n",
				i, (unsigned long long)frames[i].pc, frames[i].flags,
				(unsigned long long)frames[i].sp, (unsigned long long)frames[i].cfa,
				mapping ? mapping->path : "?",
				(unsigned long long)(mapping ? frames[i].pc - mapping->load_bias
							     : 0));
		}
	}
}

/*
 * No FDE covers the frame's code, but a table does: it gives padding to the row before (src/table/table.h). No call is there; an
 * address that something else put on the stack can be.
 */
static bool is_in_padding(const struct snapshot *snapshot, const struct dwunw_frame *frame)
{
	const struct mapping *mapping = process_find_mapping(snapshot->process, frame->pc - 1);
	static struct cfi_row row;

	for (uint64_t pc = frame->pc - 1; mapping && pc <= frame->pc; pc++) {
		const struct module *module = mapping->module;

		if (module && module->cfi && module->table &&
		    cfi_find_row(module->cfi, pc - mapping->load_bias, &row) == -ENOENT &&
		    table_find_rule(module->table, pc - mapping->load_bias)->frame.cfa_kind !=
			    DWUNW_NO_RULE)
			return true;
	}
	return false;
}

/* The kernel's walk cannot evaluate the expression that the frame's rule has, and left it by frame pointer. */
static bool is_expression(const struct snapshot *snapshot, size_t i,
			  const struct dwunw_frame *frame)
{
	const struct mapping *mapping = process_find_mapping(snapshot->process, frame->pc - 1);
	uint64_t word = slot.frames[FRAME_WORDS * i];

	if (!snapshot->by_fp || !mapping || !mapping->module || !mapping->module->table ||
	    !(DWUNW_FRAME_FLAGS(word) & DWUNW_FRAME_FP))
		return false;
	return rule_has_expression(table_find_rule(mapping->module->table,
						   frame->pc - !(frame->flags & DWUNW_FRAME_EXACT) -
							   mapping->load_bias));
}

static void judge(const struct snapshot *snapshot, const char *mode, bool say,
		  const struct dwunw_frame *frames, const struct dwunw_unwind_result *result,
		  struct comparison *sum)
{
	size_t n = slot.event.n_frames, same = 0;

	while (same < n && same < result->n_frames && same_frame(same, &frames[same]) &&
	       is_right_file(snapshot, same))
		same++;
	sum->walks++;
	sum->frames += same;
	sum->stops[slot.stop % DWUNW_N_STOP_REASONS]++;
	if (same == n && n == result->n_frames && slot.stop == result->stop) {
		sum->equal++;
	} else if ((same == n && slot.stop == DWUNW_STOP_EXPRESSION) ||
		   (same < result->n_frames && is_expression(snapshot, same, &frames[same]))) {
		sum->handed_over++;
	} else if (same < result->n_frames && is_in_padding(snapshot, &frames[same])) {
		sum->in_padding++;
	} else {
		sum->different++;
		if (say)
			print_difference(snapshot, mode, same, frames, result);
	}
}

void snapshot_compare(const struct snapshot *snapshot, bool say, struct comparison *sum)
{
	static struct dwunw_frame frames[WALKER_DEPTH];
	struct dwunw_unwind_result result;
	uint64_t full_walks, hash;

	walk_in_user_space(snapshot, frames, &result);
	full_walks = slot.counts[DWUNW_COUNT_FULL_WALKS];
	forget_cached();
	walk_as_kernel(snapshot, WALKER_COMMON);
	judge(snapshot, "cold", say, frames, &result, sum);
	hash = slot.hash;
	walk_as_kernel(snapshot, WALKER_COMMON);
	judge(snapshot, "warm", say, frames, &result, sum);
	sum->hashes_differ += slot.hash != hash;
	sum->full_walks += slot.counts[DWUNW_COUNT_FULL_WALKS] > full_walks;
	walk_as_kernel(snapshot, WALKER_FULL);
	judge(snapshot, "all registers", say, frames, &result, sum);
	sum->hashes_differ += slot.hash != hash;
}

/* What dwunw_try_fp() leaves is either the first walk by frame pointer that comes to the root, or what was there before. */
static void compare_try(struct snapshot *snapshot, struct comparison *sum)
{
	static struct dwunw_slot wanted;
	size_t size;

	for (snapshot->by_fp = DWUNW_FP_WHERE_STUCK; snapshot->by_fp <= DWUNW_FP_FIRST;
	     snapshot->by_fp++) {
		walk_as_kernel(snapshot, WALKER_FULL);
		if (slot.stop == DWUNW_STOP_ROOT)
			break;
	}
	wanted = slot;
	snapshot->by_fp = DWUNW_FP_NO_MORE;
	walk_as_kernel(snapshot, WALKER_COMMON);
	if (wanted.stop != DWUNW_STOP_ROOT)
		wanted = slot;
	wanted.fp_root = wanted.stop == DWUNW_STOP_ROOT;
	wanted.stop = slot.stop;
	walk_as_kernel(snapshot, WALKER_TRY_FP);
	size = slot.event.n_frames * FRAME_WORDS * sizeof(slot.frames[0]);
	if (slot.fp_root != wanted.fp_root || slot.stop != wanted.stop || slot.base || slot.by_fp ||
	    slot.hash != wanted.hash || slot.event.n_frames != wanted.event.n_frames ||
	    memcmp(slot.frames, wanted.frames, size) != 0)
		sum->different++;
	sum->fp_roots += slot.fp_root && slot.stop != DWUNW_STOP_ROOT;
}

void snapshot_compare_by_fp(struct snapshot *snapshot, bool say, struct comparison *sum)
{
	static struct dwunw_frame frames[WALKER_DEPTH];
	struct dwunw_unwind_result result;

	for (snapshot->by_fp = DWUNW_FP_WHERE_STUCK; snapshot->by_fp <= DWUNW_FP_FIRST;
	     snapshot->by_fp++) {
		walk_in_user_space(snapshot, frames, &result);
		walk_as_kernel(snapshot, WALKER_FULL);
		judge(snapshot,
		      snapshot->by_fp == DWUNW_FP_FIRST ? "frame pointers first" : "when stuck",
		      say, frames, &result, sum);
	}
	compare_try(snapshot, sum);
	snapshot->by_fp = DWUNW_FP_NO_MORE;
}

/* The frames of the walk that the slot holds, against the states of the memo. */
static bool memo_has_frames(void)
{
	uint32_t n = slot.event.n_frames;

	for (uint32_t i = 0; i < n && i < memo.n_states; i++) {
		if (memo.states[i].pc != DWUNW_FRAME_PC(slot.frames[FRAME_WORDS * (n - 1 - i)]) ||
		    memo.top - memo.states[i].sp * 8ULL !=
			    slot.frames[FRAME_WORDS * (n - 1 - i) + SP_WORD])
			return false;
	}
	return true;
}

static void compare_with_memo(const struct snapshot *snapshot, bool say, struct comparison *sum)
{
	uint64_t full_walks = slot.counts[DWUNW_COUNT_FULL_WALKS], hash;
	bool known, same, full;
	uint32_t stop, arrived;

	memo.pause = memo.misses = 0;
	walk_as_kernel(snapshot, WALKER_MEMO);
	arrived = slot.arrived;
	known = arrived != 0;
	stop = slot.stop;
	hash = slot.hash;
	full = slot.counts[DWUNW_COUNT_FULL_WALKS] > full_walks; /* not remembered */
	sum->full_walks += full;
	sum->known_whole += known && arrived == memo.n_states;
	sum->known_rest += known && arrived != memo.n_states;
	walk_as_kernel(snapshot, WALKER_COMMON);
	same = slot.stop == stop && slot.hash == hash;
	if (slot.stop == DWUNW_STOP_ROOT && !full && !memo_has_frames())
		same = false;
	sum->walks++;
	sum->frames += slot.event.n_frames;
	sum->stops[stop % DWUNW_N_STOP_REASONS]++;
	sum->equal += same;
	sum->different += !same;
	if (!same && say)
		fprintf(stderr,
			"%s: memo: known %u of %u, stop %s, hash %#llx; walk: %s, hash %#llx, %u "
			"frames\n",
			snapshot->target, arrived, memo.n_states, stop_name(stop),
			(unsigned long long)hash, stop_name(slot.stop),
			(unsigned long long)slot.hash, slot.event.n_frames);
}

/* The offset in the snapshot of a word to be changed; 0: there is none. */
static size_t significant_word(const struct snapshot *snapshot)
{
	uint64_t addr = stack_pointer(snapshot) + (uint64_t)rand() % 512 * 8;

	if (memo.n_pairs && rand() % 4)
		addr = memo.top - memo.pairs[(unsigned int)rand() % memo.n_pairs].at * 8ULL;
	addr -= snapshot->memory_start;
	return addr + 8 <= snapshot->memory_size ? addr : 0;
}

/* A call through a null pointer, with nothing to return to, and then from where the thread is. */
static void compare_null_call(struct snapshot *snapshot, bool say, struct comparison *sum)
{
	unsigned long *pc = &snapshot->words[arch_native()->user_pc], was_at = *pc;
	uint64_t at = stack_pointer(snapshot) - snapshot->memory_start, word, none = 0;

	if (at >= snapshot->memory_size || snapshot->memory_size - at < sizeof(word))
		return;
	memcpy(&word, snapshot->memory + at, sizeof(word));
	*pc = 0;
	memcpy(snapshot->memory + at, &none, sizeof(none));
	compare_with_memo(snapshot, say, sum);
	memcpy(snapshot->memory + at, &was_at, sizeof(was_at));
	compare_with_memo(snapshot, say, sum);
	memcpy(snapshot->memory + at, &word, sizeof(word));
	*pc = was_at;
}

void snapshot_compare_memo(struct snapshot *snapshot, bool say, struct comparison *sum)
{
	uint64_t word, other;

	compare_with_memo(snapshot, say, sum);
	for (int i = 0; i < 12; i++) {
		size_t at = significant_word(snapshot), from = significant_word(snapshot);

		memcpy(&word, snapshot->memory + at, sizeof(word));
		memcpy(&other, snapshot->memory + from, sizeof(other));
		switch (rand() % 4) {
		case 0:
			other = word + 1;
			break;
		case 1:
			other = word - 8;
			break;
		}
		memcpy(snapshot->memory + at, &other, sizeof(other));
		compare_with_memo(snapshot, say, sum);
		memcpy(snapshot->memory + at, &word, sizeof(word));
		if (rand() % 2)
			compare_with_memo(snapshot, say, sum);
	}
	compare_null_call(snapshot, say, sum);
}

void snapshot_walk(const struct snapshot *snapshot)
{
	forget_cached();
	walk_as_kernel(snapshot, WALKER_COMMON);
	walk_as_kernel(snapshot, WALKER_COMMON);
	walk_as_kernel(snapshot, WALKER_FULL);
	forget_cached();
}

void snapshot_add_returns(struct snapshot *snapshot)
{
	static struct dwunw_frame frames[WALKER_DEPTH];
	const unsigned int size = arch_native()->step->return_size;
	const uint64_t trampoline = TRAMPOLINE;
	struct dwunw_unwind_result result;

	if (!size)
		return;
	walk_in_user_space(snapshot, frames, &result);
	snapshot->trampoline = trampoline;
	for (size_t i = 0; i + 1 < result.n_frames; i += 1 + rand() % 3) {
		struct dwunw_return *found = &snapshot->returns[snapshot->n_returns];
		uint64_t slot_addr = frames[i].cfa - size, off = slot_addr - snapshot->memory_start;

		if ((frames[i].flags & DWUNW_FRAME_SIGNAL) || off >= snapshot->memory_size ||
		    snapshot->memory_size - off < size ||
		    memcmp(snapshot->memory + off, &frames[i].ra, size) != 0 ||
		    snapshot->n_returns + 2 > DWUNW_MAX_RETURNS)
			continue;
		if (rand() % 4 == 0) { /* a tail call into another probed function */
			*found++ = (struct dwunw_return){slot_addr, trampoline};
			snapshot->n_returns++;
		}
		*found = (struct dwunw_return){slot_addr, frames[i].ra};
		snapshot->n_returns++;
		memcpy(snapshot->memory + off, &trampoline, size);
	}
}
