/* SPDX-License-Identifier: BSD-2-Clause */
#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_REASONS 32 /* that are told apart: more than libdwunw has */

/*
 * Sizes come from the target's calls: a sum of absurd ones must not wrap round to a small number.
 */
static uint64_t add_saturated(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static bool old_enough(const struct report_block *block, const struct report_options *options)
{
	/* A block newer than the clock was read is of age 0. */
	uint64_t age = block->time_ns < options->now_ns ? options->now_ns - block->time_ns : 0;

	return age >= options->min_age_ns;
}

/*
 * A block to be sorted: with its address beside it, since the block itself is far away in memory.
 */
struct sort_entry {
	uint64_t addr;
	size_t block;
};

/*
 * Sorts by address: one stable counting pass for each byte in which the addresses differ at all, so
 * the time is linear, and processes with few blocks pay little. `spare` is as large as `entries`;
 * returns the one of the two that holds the result.
 */
static struct sort_entry *sort_by_address(struct sort_entry *entries, struct sort_entry *spare,
					  size_t n)
{
	struct sort_entry *from = entries, *to = spare;
	uint64_t differ = 0;

	for (size_t i = 1; i < n; i++)
		differ |= entries[i].addr ^ entries[0].addr;
	for (unsigned int shift = 0; shift < 64; shift += 8) {
		size_t start[256] = {0}, next = 0;
		struct sort_entry *swap;

		if (!(differ >> shift & 0xff))
			continue;
		for (size_t i = 0; i < n; i++)
			start[from[i].addr >> shift & 0xff]++;
		for (size_t digit = 0; digit < 256; digit++) {
			size_t count = start[digit];

			start[digit] = next;
			next += count;
		}
		for (size_t i = 0; i < n; i++)
			to[start[from[i].addr >> shift & 0xff]++] = from[i];
		swap = from;
		from = to;
		to = swap;
	}
	return from;
}

static int compare_groups(const void *left, const void *right, void *context)
{
	const struct report_snapshot *snapshot = context;
	const struct report_group *a = left, *b = right;
	int64_t id_a = snapshot->stacks[a->stack].id, id_b = snapshot->stacks[b->stack].id;

	if (!a->apart != !b->apart)
		return a->apart ? 1 : -1;
	if (a->bytes != b->bytes)
		return a->bytes < b->bytes ? 1 : -1;
	if (id_a != id_b)
		return id_a < id_b ? -1 : 1;
	return a->stack < b->stack ? -1 : a->stack > b->stack;
}

/* Why the stack was not walked to its root by call frame information alone; NULL: it was. */
static const char *shortcoming(const struct report_stack *stack)
{
	if (stack->stop)
		return stack->stop;
	return stack->n_by_frame_pointer ? "code without call frame information, left by frame "
					   "pointer"
					 : NULL;
}

/* by_stack[i] sums up stack i; fills `entries` with the blocks that count. */
static int sum_by_stack(const struct report_snapshot *snapshot,
			const struct report_options *options, struct report_group *by_stack,
			struct sort_entry *entries, size_t *n_entries)
{
	size_t n = 0;

	for (size_t i = 0; i < snapshot->n_blocks; i++) {
		const struct report_block *block = &snapshot->blocks[i];
		struct report_group *group;

		if (block->stack >= snapshot->n_stacks)
			return -EINVAL;
		if (!old_enough(block, options))
			continue;
		group = &by_stack[block->stack];
		group->bytes = add_saturated(group->bytes, block->size);
		group->blocks += 1 + block->others;
		group->n_blocks++;
		entries[n++] = (struct sort_entry){block->addr, i};
	}
	*n_entries = n;
	return 0;
}

/*
 * Brings `from`, sorted by address, into groups in ret->order; keeps the groups that have blocks.
 */
static void place_groups(const struct report_snapshot *snapshot,
			 const struct report_options *options, struct report_group *by_stack,
			 const struct sort_entry *from, size_t n, struct report_groups *ret)
{
	size_t next = 0;

	for (size_t i = 0; i < snapshot->n_stacks; i++) {
		by_stack[i].first_block = next;
		next += by_stack[i].n_blocks;
		by_stack[i].n_blocks = 0; /* counted again */
	}
	for (size_t i = 0; i < n; i++) {
		struct report_group *group = &by_stack[snapshot->blocks[from[i].block].stack];

		ret->order[group->first_block + group->n_blocks++] = from[i].block;
	}
	for (size_t i = 0; i < snapshot->n_stacks; i++) {
		struct report_group group = by_stack[i];

		if (group.blocks == 0)
			continue;
		group.stack = i;
		if (options->only_complete)
			group.apart = shortcoming(&snapshot->stacks[i]);
		ret->n_shown += !group.apart;
		ret->bytes = add_saturated(ret->bytes, group.bytes);
		ret->blocks += group.blocks;
		ret->groups[ret->n_groups++] = group;
	}
}

int report_group(const struct report_snapshot *snapshot, const struct report_options *options,
		 struct report_groups *ret)
{
	struct report_groups groups = {0};
	size_t n_blocks = snapshot->n_blocks, n = 0;
	/* One more of each: calloc(0) may give NULL. */
	struct report_group *by_stack = calloc(snapshot->n_stacks + 1, sizeof(*by_stack));
	struct sort_entry *entries = calloc(n_blocks + 1, sizeof(*entries));
	struct sort_entry *spare = calloc(n_blocks + 1, sizeof(*spare));
	int err = -ENOMEM;

	groups.order = calloc(n_blocks + 1, sizeof(*groups.order));
	groups.groups = by_stack;
	if (!by_stack || !entries || !spare || !groups.order)
		goto out;
	err = sum_by_stack(snapshot, options, by_stack, entries, &n);
	if (err)
		goto out;
	/*
	 * The groups that stay move to the front of the same array: never past the one that is
	 * read.
	 */
	place_groups(snapshot, options, by_stack, sort_by_address(entries, spare, n), n, &groups);
	qsort_r(groups.groups, groups.n_groups, sizeof(*groups.groups), compare_groups,
		(void *)snapshot);
	*ret = groups;
out:
	free(entries);
	free(spare);
	if (err)
		report_groups_free(&groups);
	return err;
}

void report_groups_free(struct report_groups *groups)
{
	free(groups->groups);
	free(groups->order);
	*groups = (struct report_groups){0};
}

/* Length of the valid UTF-8 sequence of two bytes or more at `s` (RFC 3629), 0 if there is none. */
static size_t utf8_length(const unsigned char *s, size_t max)
{
	size_t length = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	uint32_t code = s[0] & (0xff >> (length + 1));
	static const uint32_t least[] = {[2] = 0x80, [3] = 0x800, [4] = 0x10000};

	if (s[0] < 0xc2 || s[0] > 0xf4 || length > max)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	/* U+0080..U+009F: control characters; U+009B begins a terminal's escape sequences. */
	return code < 0xa0 ? 0 : length;
}

/*
 * Names are the target's, and the reader's terminal must not obey them: control characters and
 * bytes that are not UTF-8 are printed as \xNN.
 */
static void print_name(FILE *out, const char *name, size_t max)
{
	const unsigned char *s = (const unsigned char *)name;
	size_t length = strnlen(name, max);

	for (size_t i = 0; i < length;) {
		size_t plain = 0;

		while (i + plain < length && s[i + plain] >= 0x20 && s[i + plain] < 0x7f)
			plain++;
		if (!plain && s[i] >= 0x80)
			plain = utf8_length(s + i, length - i);
		if (!plain)
			fprintf(out, "\\x%02x", s[i]);
		fwrite(s + i, 1, plain, out);
		i += plain ? plain : 1;
	}
}

static void print_frame(FILE *out, size_t i, const struct report_frame *frame)
{
	fprintf(out, "\t%zu [<%016llx>] ", i, (unsigned long long)frame->pc);
	if (frame->symbol) {
		print_name(out, frame->symbol, SIZE_MAX);
		fprintf(out, "+0x%llx", (unsigned long long)frame->offset);
	} else {
		fputs("<null sym>", out);
	}
	if (frame->module) {
		fputs(" [", out);
		print_name(out, frame->module, SIZE_MAX);
		putc(']', out);
	}
	putc('\n', out);
}

static void print_details(FILE *out, size_t i, const struct report_frame *frame,
			  bool have_registers)
{
	fprintf(out, "  [dwunw] #%zu pc=0x%llx", i, (unsigned long long)frame->pc);
	if (have_registers)
		fprintf(out, " sp=%#llx ra=%#llx", (unsigned long long)frame->sp,
			(unsigned long long)frame->ra);
	fprintf(out, " flags=%#x module=", frame->flags);
	print_name(out, frame->module ? frame->module : "-", SIZE_MAX);
	putc('\n', out);
}

/* How the stack was walked. */
static void print_walk(FILE *out, const struct report_stack *stack)
{
	if (!stack->walked_by_dwunw)
		return;
	fprintf(out, "\t[dwunw] pid=%u comm=", stack->pid);
	print_name(out, stack->comm, sizeof(stack->comm));
	fprintf(out, " frames=%zu", stack->n_frames);
	if (stack->n_by_frame_pointer)
		fprintf(out, ", %zu by frame pointer", stack->n_by_frame_pointer);
	if (stack->stop)
		fprintf(out, ", incomplete: %s", stack->stop);
	putc('\n', out);
}

static void print_frames(FILE *out, const struct report_stack *stack, bool details)
{
	for (size_t i = 0; i < stack->n_frames; i++)
		print_frame(out, i, &stack->frames[i]);
	if (!details || !stack->walked_by_dwunw)
		return;
	for (size_t i = 0; i < stack->n_frames; i++)
		print_details(out, i, &stack->frames[i], stack->have_details);
}

void report_print_stack(FILE *out, const struct report_stack *stack, bool details)
{
	print_walk(out, stack);
	print_frames(out, stack, details);
}

static void print_group(FILE *out, const struct report_snapshot *snapshot,
			const struct report_groups *groups, const struct report_group *group,
			const struct report_options *options)
{
	const struct report_stack *stack = &snapshot->stacks[group->stack];

	fprintf(out, "%llu bytes in %llu allocations from stack\n",
		(unsigned long long)group->bytes, (unsigned long long)group->blocks);
	print_walk(out, stack);
	for (size_t i = 0; options->show_allocs && i < group->n_blocks; i++) {
		const struct report_block *block =
			&snapshot->blocks[groups->order[group->first_block + i]];

		fprintf(out, "\taddr = %#llx size = %llu\n", (unsigned long long)block->addr,
			(unsigned long long)block->size);
	}
	print_frames(out, stack, options->details);
}

static void print_sum(FILE *out, const struct report_group *sum)
{
	fprintf(out, "[dwunw] %llu bytes in %llu allocations, stack %s%s\n",
		(unsigned long long)sum->bytes, (unsigned long long)sum->blocks,
		sum->apart ? "cut short: " : "complete", sum->apart ? sum->apart : "");
}

/* The sum for `reason`; one more is begun where there is none, and the last takes all that have no room. */
static struct report_group *sum_of(struct report_group *sums, size_t *n, const char *reason)
{
	for (size_t i = 1; reason && i < *n; i++) {
		if (strcmp(sums[i].apart, reason) == 0)
			return &sums[i];
	}
	if (!reason)
		return &sums[0];
	if (*n == MAX_REASONS)
		return &sums[*n - 1];
	sums[*n].apart = *n == MAX_REASONS - 1 ? "other reasons" : reason;
	return &sums[(*n)++];
}

static void print_sums(FILE *out, const struct report_groups *groups)
{
	struct report_group sums[MAX_REASONS] = {}, *sum;
	size_t n = 1;

	for (size_t i = 0; i < groups->n_groups; i++) {
		sum = sum_of(sums, &n, groups->groups[i].apart);
		sum->bytes = add_saturated(sum->bytes, groups->groups[i].bytes);
		sum->blocks += groups->groups[i].blocks;
	}
	for (size_t i = 0; i < n; i++)
		print_sum(out, &sums[i]);
}

void report_print(FILE *out, const struct report_snapshot *snapshot,
		  const struct report_groups *groups, const struct report_options *options,
		  const struct tm *when)
{
	size_t shown = groups->n_shown;

	if (shown > options->top_stacks)
		shown = options->top_stacks;
	fprintf(out, "[%d:%d:%d] Top %zu stacks with outstanding allocations:\n", when->tm_hour,
		when->tm_min, when->tm_sec, shown);
	for (size_t i = 0; i < shown; i++)
		print_group(out, snapshot, groups, &groups->groups[i], options);
	if (options->only_complete)
		print_sums(out, groups);
}
