/* SPDX-License-Identifier: BSD-2-Clause */
#include "report.h"

#include "names.h"

static void print_place(FILE *out, const struct source_place *place)
{
	if (!place->file)
		return;
	putc(' ', out);
	print_name(out, place->file, SIZE_MAX);
	fprintf(out, ":%u", place->line);
}

/* They have no address of their own, and so no number: frames are counted by return addresses. */
static void print_inlined(FILE *out, const struct report_frame *frame)
{
	for (size_t i = 0; i < frame->n_inlined; i++) {
		const struct inlined_function *inlined = &frame->inlined[i];

		fputs("\t  ", out);
		print_name(out, inlined->name ? inlined->name : "<null sym>", SIZE_MAX);
		print_place(out, &inlined->place);
		fputs(" (inlined)\n", out);
	}
}

static void print_frame(FILE *out, size_t i, const struct report_frame *frame)
{
	print_inlined(out, frame);
	fprintf(out, "\t%zu [<%016llx>] ", i, (unsigned long long)frame->pc);
	if (frame->symbol) {
		print_name(out, frame->symbol, SIZE_MAX);
		fprintf(out, "+0x%llx", (unsigned long long)frame->offset);
	} else {
		fputs("<null sym>", out);
	}
	print_place(out, &frame->place);
	if (frame->module) {
		fputs(" [", out);
		print_name(out, frame->module, SIZE_MAX);
		putc(']', out);
	}
	putc('\n', out);
}

static void print_registers(FILE *out, size_t i, const struct report_frame *frame,
			    bool have_registers)
{
	fprintf(out, "  [dwunw] #%zu pc=0x%llx", i, (unsigned long long)frame->pc);
	if (have_registers)
		fprintf(out, " sp=%#llx ra=%#llx", (unsigned long long)frame->sp,
			(unsigned long long)frame->ra);
	fprintf(out, " flags=%#x module=", frame->flags);
	print_name(out, frame->module ? frame->module : "-", SIZE_MAX);
	if (frame->name_source)
		fprintf(out, ", name from %s", frame->name_source);
	if (frame->place.file && frame->line_source)
		fprintf(out, ", line from %s, column %u", frame->line_source, frame->place.column);
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

static void print_frames(FILE *out, const struct report_stack *stack, bool registers)
{
	for (size_t i = 0; i < stack->n_frames; i++)
		print_frame(out, i, &stack->frames[i]);
	if (!registers || !stack->walked_by_dwunw)
		return;
	for (size_t i = 0; i < stack->n_frames; i++)
		print_registers(out, i, &stack->frames[i], stack->have_registers);
}

void report_print_stack(FILE *out, const struct report_stack *stack, bool registers)
{
	print_walk(out, stack);
	print_frames(out, stack, registers);
}

/* --details */
static void print_details(FILE *out, const struct report_group *group, bool no_ages)
{
	fputs("\t[memleak] ", out);
	if (!no_ages)
		fprintf(out, "oldest=%.3fs median=%.3fs ", (double)group->oldest_ns / 1e9,
			(double)group->median_ns / 1e9);
	fprintf(out, "growth=%+lld bytes in %+lld allocations\n", (long long)group->growth_bytes,
		(long long)group->growth_blocks);
}

static void print_since(FILE *out, const char *indent, const struct tm *when, int64_t bytes,
			int64_t blocks)
{
	fprintf(out,
		"%s[memleak] since %04d-%02d-%02d %02d:%02d:%02d: %+lld bytes in %+lld allocations",
		indent, when->tm_year + 1900, when->tm_mon + 1, when->tm_mday, when->tm_hour,
		when->tm_min, when->tm_sec, (long long)bytes, (long long)blocks);
}

/* --diff */
static void print_group_since(FILE *out, const struct report_group *group,
			      const struct report_before *before)
{
	print_since(out, "\t", &before->when, report_difference(group->bytes, group->before_bytes),
		    report_difference(group->blocks, group->before_blocks));
	putc('\n', out);
}

/* All stacks, also those that are not shown, or not there any more. */
static void print_total_since(FILE *out, const struct report_groups *groups,
			      const struct report_before *before)
{
	print_since(out, "", &before->when, report_difference(groups->bytes, before->bytes),
		    report_difference(groups->blocks, before->blocks));
	fputs(" in all", out);
	if (before->n_gone)
		fprintf(out, "; %zu stacks that held %llu bytes in %llu allocations hold none now",
			before->n_gone, (unsigned long long)before->gone_bytes,
			(unsigned long long)before->gone_blocks);
	putc('\n', out);
}

static void print_estimate(FILE *out, const char *before, uint64_t bytes,
			   const struct estimate *estimate)
{
	fprintf(out, "%sestimated from %llu sampled blocks, bytes +-%.1f%%\n", before,
		(unsigned long long)estimate->n_sampled, estimate_error_percent(estimate, bytes));
}

static void print_group(FILE *out, const struct report_snapshot *snapshot,
			const struct report_groups *groups, const struct report_group *group,
			const struct report_options *options)
{
	const struct report_stack *stack = &snapshot->stacks[group->stack];

	fprintf(out, "%llu bytes in %llu allocations from stack\n",
		(unsigned long long)group->bytes, (unsigned long long)group->blocks);
	print_walk(out, stack);
	if (options->estimated)
		print_estimate(out, "\t[memleak] ", group->bytes, &group->estimate);
	if (options->details)
		print_details(out, group, options->no_ages);
	if (options->before)
		print_group_since(out, group, options->before);
	for (size_t i = 0; options->show_allocs && i < group->n_blocks; i++) {
		const struct report_block *block =
			&snapshot->blocks[groups->order[group->first_block + i]];

		fprintf(out, "\taddr = %#llx size = %llu\n", (unsigned long long)block->addr,
			(unsigned long long)block->size);
	}
	print_frames(out, stack, options->registers);
}

static void print_sum(FILE *out, const struct report_sum *sum)
{
	fprintf(out, "[dwunw] %llu bytes in %llu allocations, stack %s%s\n",
		(unsigned long long)sum->bytes, (unsigned long long)sum->blocks,
		sum->reason ? "cut short: " : "complete", sum->reason ? sum->reason : "");
}

static void print_sums(FILE *out, const struct report_groups *groups)
{
	struct report_sum sums[REPORT_MAX_SUMS];
	size_t n = report_sums(groups, sums);

	for (size_t i = 0; i < n; i++)
		print_sum(out, &sums[i]);
}

/* With sampling: all stacks, also those that are not shown. */
static void print_total(FILE *out, const struct report_groups *groups)
{
	char total[80];

	snprintf(total, sizeof(total), "[memleak] %llu bytes in %llu allocations in all, ",
		 (unsigned long long)groups->bytes, (unsigned long long)groups->blocks);
	print_estimate(out, total, groups->bytes, &groups->estimate);
}

void report_print(FILE *out, const struct report_snapshot *snapshot,
		  const struct report_groups *groups, const struct report_options *options,
		  const struct tm *when)
{
	size_t shown = groups->n_shown;

	if (shown > options->top_stacks)
		shown = options->top_stacks;
	fprintf(out, "[%d:%d:%d] ", when->tm_hour, when->tm_min, when->tm_sec);
	if (options->peak)
		fprintf(out, "Peak: %llu bytes in %llu allocations, top %zu stacks:\n",
			(unsigned long long)groups->bytes, (unsigned long long)groups->blocks,
			shown);
	else
		fprintf(out, "Top %zu stacks with outstanding allocations:\n", shown);
	for (size_t i = 0; i < shown; i++)
		print_group(out, snapshot, groups, &groups->groups[i], options);
	if (options->only_complete)
		print_sums(out, groups);
	if (options->estimated)
		print_total(out, groups);
	if (options->before)
		print_total_since(out, groups, options->before);
}
