/* SPDX-License-Identifier: BSD-2-Clause */
/* The frames of stacks, and their names. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include <dwunw/dwunw.h> /* dwunw-added */

#include "bpf/dwunw_bpf.h" /* dwunw-added */
#include "collect_internal.h"
#include "kallsyms.h"
#include "progress.h"
#include "symbolize/symbolize.h"

/* dwunw-added begin: steps that were taken by frame pointer; the last frame has no caller */
static size_t count_by_frame_pointer(const struct dwunw_stack *stack)
{
	size_t n = 0;

	for (size_t i = 0; i + 1 < stack->n_frames; i++)
		n += !!(stack->frames[i].flags & DWUNW_FRAME_FP);
	return n;
}

void collect_describe_dwunw(const struct dwunw_stack *stack, unsigned int reason,
			    struct report_stack *ret)
{
	ret->walked_by_dwunw = true;
	if (!stack) {
		ret->stop = dwunw_stop_reason_text(reason);
		return;
	}
	memcpy(ret->comm, stack->comm, sizeof(ret->comm));
	ret->tid = (uint32_t)stack->tid;
	ret->n_by_frame_pointer = count_by_frame_pointer(stack);
	if (stack->stop != DWUNW_STOP_ROOT)
		ret->stop = dwunw_stop_reason_text(stack->stop);
}

const struct dwunw_stack *collect_find_dwunw(const struct collect_source *source, int64_t id,
					     unsigned int *reason)
{
	const struct dwunw_stack *stack;

	if (id >= 0 && dwunw_bpf_find_stack(source->dwunw, id, &stack) == 0)
		return stack;
	*reason = DWUNW_STOP_DROPPED;
	if (id >= 0 && (id & DWUNW_ID_REASON) && !(id & DWUNW_ID_EVENT))
		*reason = (unsigned int)(id & 0xff);
	return NULL;
}
/* dwunw-added end */

static void set_symbol(struct report_frame *frame, const struct symbol *symbol)
{
	frame->symbol = symbol->name;
	frame->offset = symbol->offset;
	frame->module = symbol->module;
	frame->place = symbol->place;
	frame->inlined = symbol->inlined;
	frame->n_inlined = symbol->n_inlined;
	frame->name_source = symbol->source;
	frame->line_source = symbol->line_source;
}

/* dwunw-added begin: the file of the frame is known, also if it has been unmapped since */
static bool is_return(const struct dwunw_frame *frame)
{
	return !(frame->flags & (DWUNW_FRAME_EXACT | DWUNW_FRAME_SIGNAL));
}

/* The frames of one file that follow each other are asked for together. */
static void dwunw_prepare(const struct collect_source *source, struct symbolizer *symbolizer,
			  const struct dwunw_stack *from)
{
	uint64_t vaddrs[64];
	size_t n = 0;

	for (size_t i = 0; i < from->n_frames; i++) {
		const struct dwunw_frame *frame = &from->frames[i];
		const struct module *module = dwunw_bpf_module(source->dwunw, frame->module_id);

		vaddrs[n++] = frame->vaddr - is_return(frame);
		if (i + 1 < from->n_frames && n < 64 && frame[1].module_id == frame->module_id)
			continue;
		if (module)
			symbolizer_prepare(symbolizer, module, vaddrs, n);
		n = 0;
	}
}

static void dwunw_name(const struct collect_source *source, struct symbolizer *symbolizer,
		       const struct dwunw_frame *from, struct report_frame *frame)
{
	const struct module *module = dwunw_bpf_module(source->dwunw, from->module_id);
	struct symbol symbol = {};

	if (module)
		symbolizer_find_in_module(symbolizer, module, from->vaddr, is_return(from),
					  &symbol);
	else if (!(from->flags & DWUNW_FRAME_UNKNOWN))
		symbolizer_find(symbolizer, from->pc, is_return(from), &symbol);
	set_symbol(frame, &symbol);
}

/* frames that libdwunw walked */
static int dwunw_frames(const struct collect_source *source, struct symbolizer *symbolizer,
			struct report_stack *stack)
{
	const struct dwunw_stack *from;

	if (dwunw_bpf_find_stack(source->dwunw, stack->id, &from))
		return 0; /* none was kept */
	stack->frames = calloc(from->n_frames ? from->n_frames : 1, sizeof(*stack->frames));
	if (!stack->frames)
		return -ENOMEM;
	stack->n_frames = from->n_frames;
	stack->have_registers = from->has_details;
	dwunw_prepare(source, symbolizer, from);
	for (size_t i = 0; i < from->n_frames; i++) {
		stack->frames[i] = (struct report_frame){
			.pc = from->frames[i].pc,
			.sp = from->frames[i].sp,
			.ra = from->frames[i].ra,
			.flags = from->frames[i].flags,
		};
		dwunw_name(source, symbolizer, &from->frames[i], &stack->frames[i]);
	}
	return 0;
}
/* dwunw-added end */

/* A return address of a stack of bpf_get_stackid(). */
static void name_frame(const struct collect_source *source, struct symbolizer *symbolizer,
		       struct report_frame *frame)
{
	struct symbol symbol = {};

	if (source->kernel_symbols)
		kallsyms_find(source->kernel_symbols, frame->pc, &symbol);
	else if (symbolizer) /* else the process may not be read */
		symbolizer_find(symbolizer, frame->pc, true, &symbol);
	set_symbol(frame, &symbol);
}

static int kernel_frames(const struct collect_source *source, struct symbolizer *symbolizer,
			 struct report_stack *stack)
{
	__u32 id = (__u32)stack->id;
	uint64_t *pcs = calloc(source->max_depth, sizeof(*pcs));
	size_t n = 0, first = 0;

	if (!pcs)
		return -ENOMEM;
	stack->frames = calloc(source->max_depth, sizeof(*stack->frames));
	if (stack->frames && bpf_map_lookup_elem(source->stacks_fd, &id, pcs) == 0) {
		while (n < source->max_depth && pcs[n])
			n++;
		if (source->kernel_symbols)
			first = kallsyms_probe_frames(source->kernel_symbols, pcs, n);
		for (size_t i = first; i < n; i++) {
			struct report_frame *frame = &stack->frames[stack->n_frames++];

			frame->pc = pcs[i];
			name_frame(source, symbolizer, frame);
		}
	}
	free(pcs);
	return stack->frames ? 0 : -ENOMEM;
}

static int frames_of(const struct collect_source *source, struct symbolizer *symbolizer,
		     struct report_stack *stack)
{
	if (source->dwunw)					/* dwunw-added */
		return dwunw_frames(source, symbolizer, stack); /* dwunw-added */
	return kernel_frames(source, symbolizer, stack);
}

int collect_stack(const struct collect_source *source, unsigned int target, int64_t id,
		  struct report_stack *ret)
{
	struct report_stack stack = {
		.id = id, .target = target, .pid = (uint32_t)source->targets[target].pid};
	int err = 0;

	/* dwunw-added begin */
	if (source->dwunw) {
		unsigned int reason = 0;
		const struct dwunw_stack *from = collect_find_dwunw(source, id, &reason);

		if (!from) { /* it may have been told of since the events were handled */
			source->handle_events(source->session);
			from = collect_find_dwunw(source, id, &reason);
		}
		collect_describe_dwunw(from, reason, &stack);
	}
	/* dwunw-added end */
	if (id >= 0)
		err = frames_of(source, source->targets[target].symbolizer, &stack);
	if (!err)
		*ret = stack;
	return err;
}

int collect_frames(const struct collect_source *source, struct report_snapshot *snapshot,
		   const struct report_groups *groups, size_t n)
{
	int err = 0;

	n = n < groups->n_groups ? n : groups->n_groups;
	progress_begin("finding the names of", "stacks");
	for (size_t i = 0; i < n && !err; i++) {
		struct report_stack *stack = &snapshot->stacks[groups->groups[i].stack];
		struct symbolizer *symbolizer = source->targets[stack->target].symbolizer;

		if (stack->id < 0 || stack->frames) /* none, or it has them */
			continue;
		err = frames_of(source, symbolizer, stack);
		progress_step(i + 1, n);
	}
	progress_end();
	return err;
}
