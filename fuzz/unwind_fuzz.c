/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A memory image, unwound with the real CFI of the C library (world.h). Options (2 bytes), which registers are known (2), then
 * words: pc, sp, fp and the others, a return probe's trampoline and two of the addresses it hides, then the stack.
 * Holds: the walk ends, within its array, with a reason; the same once more, with rules from the cache, from tables, and from what is
 * remembered of those.
 */
#include <dwunw/dwunw.h>
#include <dwunw/step_types.h>

#include "unwind/rule_cache.h"
#include "unwind/table_view.h"
#include "unwind/unwind.h"
#include "world.h"

#define MAX_WORDS 2048
#define MAX_FRAMES 200

enum { WITH_READER = 1, WITH_TRAMPOLINE = 2, UNALIGNED = 4, WITH_MASK = 8, WITH_NAMES = 16 };

struct memory {
	uint8_t slice[8 * MAX_WORDS];
	struct dwunw_registers registers;
	struct dwunw_return returns[2];
};

static struct dwunw_frame first_frames[MAX_FRAMES], frames[MAX_FRAMES];

/* Memory beside the slice; a quarter of its pages is missing. */
static int read_memory(void *arg, uint64_t addr, void *buf, size_t size)
{
	(void)arg;
	if (mix(addr >> 12) % 4 == 0)
		return -EFAULT;
	for (size_t i = 0; i < size; i++)
		((uint8_t *)buf)[i] =
			(uint8_t)(world_word(mix((addr + i) / 8)) >> 8 * ((addr + i) % 8));
	return 0;
}

static bool same_frame(const struct dwunw_frame *a, const struct dwunw_frame *b)
{
	return a->pc == b->pc && a->sp == b->sp && a->cfa == b->cfa && a->ra == b->ra &&
	       a->flags == b->flags && a->module == b->module;
}

static void check(const struct unwind_snapshot *snapshot, unsigned int skip, size_t max_frames)
{
	static struct rule_cache cache;
	static uint64_t epoch;
	struct dwunw_unwind_result first, again;
	struct unwind_snapshot cached = *snapshot;

	unwind_snapshot(snapshot, skip, max_frames, first_frames, &first);
	HOLDS(first.n_frames <= max_frames && (first.n_frames || skip));
	HOLDS(first.stop < DWUNW_N_STOP_REASONS && first.detail <= 0);
	/* Empty at first, so that a file shows what was seen here. */
	cached.rules = &cache;
	cached.epoch = ++epoch;
	for (int i = 0; i < 2; i++) {
		unwind_snapshot(&cached, skip, max_frames, frames, &again);
		HOLDS(again.n_frames == first.n_frames && again.stop == first.stop);
		HOLDS(again.detail == first.detail && again.address == first.address);
		for (size_t n = 0; n < first.n_frames; n++)
			HOLDS(same_frame(&frames[n], &first_frames[n]));
	}
}

/* Once. */
static void build_tables(void)
{
	const struct table *table;

	for (size_t i = 0; i < WORLD_N_MAPPINGS; i++)
		if (world_mappings[i].module && !world_mappings[i].module->table)
			HOLDS(module_table(world_mappings[i].module, &table) == 0);
}

/*
 * A walk over tables against one over CFI. Tables lack rules that only DWARF expressions say, and frames of more than 2 GiB: EXPRESSION. And they
 * have rules for padding between functions (table.h), where CFI has none, so that the frame is walked by frame pointer or as exact, or,
 * the innermost one, not at all.
 */
static void compare_with_cfi(const struct unwind_snapshot *snapshot, size_t max_frames,
			     const struct dwunw_unwind_result *by_table)
{
	bool is_cut = by_table->stop == DWUNW_STOP_EXPRESSION;
	struct unwind_snapshot walk = *snapshot;
	struct dwunw_unwind_result result;

	walk.tables = NULL;
	unwind_snapshot(&walk, 0, max_frames, first_frames, &result);
	for (size_t n = 0; n < result.n_frames && n < by_table->n_frames; n++) {
		const struct dwunw_frame *a = &first_frames[n], *b = &frames[n];

		if (same_frame(a, b))
			continue;
		HOLDS((is_cut && n + 1 == by_table->n_frames) ||
		      (a->flags & ~b->flags & (DWUNW_FRAME_EXACT | DWUNW_FRAME_FP)) ||
		      (n + 1 == result.n_frames && result.stop == DWUNW_STOP_NO_CFI));
		return;
	}
	HOLDS(is_cut ? result.n_frames >= by_table->n_frames
		     : result.n_frames == by_table->n_frames && result.stop == by_table->stop);
}

/* As a process unwinds itself: names are there, trampolines are not. */
static void check_tables(const struct unwind_snapshot *snapshot, size_t max_frames)
{
	static struct table_view view;
	struct dwunw_unwind_result first, again;
	struct unwind_snapshot walk = *snapshot;

	build_tables();
	memset(&view, 0, sizeof(view));
	walk.tables = &view;
	walk.by_fp = DWUNW_FP_NO_MORE; /* not where there are tables alone */
	unwind_snapshot(&walk, 0, max_frames, first_frames, &first);
	unwind_snapshot(&walk, 0, max_frames, frames, &again);
	HOLDS(again.n_frames == first.n_frames && again.stop == first.stop);
	HOLDS(again.address == first.address && again.detail == first.detail);
	for (size_t n = 0; n < first.n_frames; n++)
		HOLDS(same_frame(&frames[n], &first_frames[n]));
	compare_with_cfi(&walk, max_frames, &again);
}

static void fill(struct input *input, struct memory *memory, struct unwind_snapshot *snapshot)
{
	const struct dwunw_step_arch *arch = arch_native()->step;
	size_t n = 0;

	memory->registers.valid = (uint32_t)input_uint(input, 2) | 1u << arch->sp | 1u << arch->fp;
	memory->registers.pc = world_word(input_uint(input, 4));
	memory->registers.regs[arch->sp] = world_word(input_uint(input, 4));
	memory->registers.regs[arch->fp] = world_word(input_uint(input, 4));
	for (int i = 0; i < DWUNW_MAX_REGS; i++) {
		if (i != arch->sp && i != arch->fp)
			memory->registers.regs[i] = world_word(input_uint(input, 4));
	}
	snapshot->trampoline = world_word(input_uint(input, 4));
	for (int i = 0; i < 2; i++) {
		memory->returns[i].slot = world_word(input_uint(input, 4));
		memory->returns[i].address = world_word(input_uint(input, 4));
	}
	for (; input->left && n < MAX_WORDS; n++) {
		uint64_t word = world_word(input_uint(input, 4));

		memcpy(memory->slice + 8 * n, &word, sizeof(word));
	}
	snapshot->slice_size = 8 * n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct frame_module modules[WORLD_N_MAPPINGS] = {
		{"libc", 0x1000, 1}, {"ld", 0, 2}, {"made", 0, 0}};
	static struct memory memory;
	struct input input = {data, size};
	unsigned int flags = (unsigned int)input_uint(&input, 1);
	unsigned int depth = (unsigned int)input_uint(&input, 1);
	size_t max_frames = 1 + depth % MAX_FRAMES;
	struct unwind_snapshot snapshot = {
		.process = &world,
		.registers = &memory.registers,
		.slice_start = WORLD_STACK,
		.read = flags & WITH_READER ? read_memory : NULL,
		.by_fp = depth % 3,
		.ra_mask = flags & WITH_MASK ? 0xff7f000000000000 : 0,
		.modules = flags & WITH_NAMES ? modules : NULL,
	};
	uint8_t *slice;

	world_open();
	fill(&input, &memory, &snapshot);
	if (flags & WITH_TRAMPOLINE) {
		snapshot.returns = memory.returns;
		snapshot.n_returns = 2;
	} else {
		snapshot.trampoline = 0;
	}
	if (flags & UNALIGNED && snapshot.slice_size)
		snapshot.slice_size -= 3;
	slice = malloc(snapshot.slice_size + 1);
	HOLDS(slice);
	memcpy(slice, memory.slice, snapshot.slice_size);
	snapshot.slice = slice;
	check(&snapshot, flags >> 5, max_frames);
	if (snapshot.modules && !snapshot.trampoline)
		check_tables(&snapshot, max_frames);
	free(slice);
	return 0;
}
