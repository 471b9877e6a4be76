/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/view.h"

#include <dwunw/dwunw.h> /* dwunw-added */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

#define MAX_BUILD_ID 64 /* bytes: more than any linker writes */

struct making {
	struct view *view;
	const struct view_facts *facts;
	size_t modules_room;
};

/* NULL stays NULL; -ENOMEM. */
static int keep(struct view *view, const char *text, const char **ret)
{
	const char *kept = text ? strings_keep(&view->strings, text) : NULL;

	if (text && !kept)
		return -ENOMEM;
	*ret = kept;
	return 0;
}

static int add_module(struct making *making, const struct view_module *module, uint32_t *ret)
{
	struct view *view = making->view;

	if (view->n_modules == making->modules_room) {
		size_t room = making->modules_room ? 2 * making->modules_room : 16;
		struct view_module *grown = reallocarray(view->modules, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		view->modules = grown;
		making->modules_room = room;
	}
	*ret = (uint32_t)view->n_modules;
	view->modules[view->n_modules++] = *module;
	return 0;
}

static int keep_build_id(struct view *view, const struct view_mapping *mapping, const char **ret)
{
	static const char digits[] = "0123456789abcdef";
	char text[2 * MAX_BUILD_ID + 1];
	size_t n = 0;

	for (size_t i = 0; i < mapping->build_id_size && i < MAX_BUILD_ID; i++) {
		text[n++] = digits[mapping->build_id[i] >> 4];
		text[n++] = digits[mapping->build_id[i] & 15];
	}
	text[n] = '\0';
	return keep(view, text, ret);
}

/* A module is told from others by its path and where it is; texts are kept once, so that their addresses say whether they are equal. */
static int find_module(struct making *making, uint32_t target, const struct report_frame *frame,
		       uint32_t *ret)
{
	struct view *view = making->view;
	struct view_mapping mapping = {};
	struct view_module module = {};

	*ret = VIEW_NO_MODULE;
	if (!frame->module)
		return 0;
	if (!making->facts->find_mapping ||
	    !making->facts->find_mapping(making->facts->context, target, frame->pc, &mapping) ||
	    strcmp(mapping.path, frame->module) != 0)
		mapping = (struct view_mapping){};
	if (keep(view, frame->module, &module.path))
		return -ENOMEM;
	for (size_t i = 0; i < view->n_modules; i++) {
		if (view->modules[i].path == module.path &&
		    view->modules[i].start == mapping.start) {
			*ret = (uint32_t)i;
			return 0;
		}
	}
	module.start = mapping.start;
	module.end = mapping.end;
	module.file_off = mapping.file_off;
	if (keep_build_id(view, &mapping, &module.build_id))
		return -ENOMEM;
	return add_module(making, &module, ret);
}

static int add_place(struct view *view, const char *function, const struct source_place *place,
		     struct view_frame *frame)
{
	frame->line = place->line;
	frame->column = place->column;
	if (keep(view, function, &frame->function))
		return -ENOMEM;
	return keep(view, place->file, &frame->file);
}

/* The frame, behind what was inlined into it. */
static int add_frames(struct making *making, uint32_t target, const struct report_frame *from,
		      struct view_frame **next)
{
	uint32_t module;
	int err = find_module(making, target, from, &module);

	for (size_t i = 0; i < from->n_inlined && !err; i++) {
		struct view_frame *frame = (*next)++;

		*frame = (struct view_frame){.pc = from->pc, .module = module, .inlined = true};
		err = add_place(making->view, from->inlined[i].name, &from->inlined[i].place,
				frame);
	}
	if (err)
		return err;
	**next = (struct view_frame){
		.pc = from->pc,
		.offset = from->offset,
		.module = module,
		.by_frame_pointer = from->flags & DWUNW_FRAME_FP, /* dwunw-added */
	};
	return add_place(making->view, from->symbol, &from->place, (*next)++);
}

static int add_stack_frames(struct making *making, const struct report_stack *from,
			    struct view_stack *stack)
{
	struct view_frame *frames, *next;
	size_t n = 0;
	int err = 0;

	for (size_t i = 0; from->frames && i < from->n_frames; i++)
		n += 1 + from->frames[i].n_inlined;
	if (!n)
		return 0;
	frames = next = calloc(n, sizeof(*frames));
	if (!frames)
		return -ENOMEM;
	for (size_t i = 0; i < from->n_frames && !err; i++)
		err = add_frames(making, from->target, &from->frames[i], &next);
	stack->frames = frames;
	stack->n_frames = n;
	return err;
}

static int add_stack(struct making *making, const struct report_snapshot *snapshot,
		     const struct report_group *group)
{
	const struct report_stack *from = &snapshot->stacks[group->stack];
	struct view *view = making->view;
	struct view_stack *stack = &view->stacks[view->n_stacks++];
	char comm[sizeof(from->comm) + 1] = "";

	memcpy(comm, from->comm, sizeof(from->comm));
	*stack = (struct view_stack){
		.identity = from->identity,
		.pid = from->pid,
		.tid = from->tid,
		.bytes = group->bytes,
		.blocks = group->blocks,
		.sampled = view->estimated ? group->estimate.n_sampled : 0,
		.oldest_ns = view->no_ages ? 0 : group->oldest_ns,
		.median_ns = view->no_ages ? 0 : group->median_ns,
		.growth_bytes = group->growth_bytes,
		.growth_blocks = group->growth_blocks,
	};
	if (keep(view, comm, &stack->comm) || keep(view, from->stop, &stack->stop))
		return -ENOMEM;
	return add_stack_frames(making, from, stack);
}

static int add_sums(struct view *view, const struct report_groups *groups)
{
	struct report_sum sums[REPORT_MAX_SUMS];
	size_t n = report_sums(groups, sums);

	if (strcmp(view->walk, VIEW_WALK_DWUNW) != 0)
		return 0; /* nobody knows whether those are complete */
	view->sums = calloc(n, sizeof(*view->sums));
	if (!view->sums)
		return -ENOMEM;
	view->n_sums = n;
	for (size_t i = 0; i < n; i++) {
		view->sums[i].bytes = sums[i].bytes;
		view->sums[i].blocks = sums[i].blocks;
		if (keep(view, sums[i].reason, &view->sums[i].reason))
			return -ENOMEM;
	}
	return 0;
}

int view_set_notes(struct view *view, const char *const *notes, size_t n)
{
	const char **kept = calloc(n + 1, sizeof(*kept));

	if (!kept)
		return -ENOMEM;
	free(view->notes);
	view->notes = kept;
	view->n_notes = 0;
	for (size_t i = 0; i < n; i++) {
		if (keep(view, notes[i], &kept[i]))
			return -ENOMEM;
		view->n_notes++;
	}
	return 0;
}

static int add_facts(struct view *view, const struct view_facts *facts)
{
	view->when = facts->when;
	view->elapsed_ns = facts->elapsed_ns;
	view->min_age_ns = facts->min_age_ns;
	view->no_ages = facts->no_ages;
	view->estimated = facts->estimated;
	view->sample_rate = facts->sample_rate;
	view->sample_bytes = facts->sample_bytes;
	view->processes = calloc(facts->n_processes + 1, sizeof(*view->processes));
	if (!view->processes || keep(view, facts->walk, &view->walk))
		return -ENOMEM;
	view->n_processes = facts->n_processes;
	for (size_t i = 0; i < facts->n_processes; i++) {
		view->processes[i].pid = facts->processes[i].pid;
		if (keep(view, facts->processes[i].comm, &view->processes[i].comm))
			return -ENOMEM;
	}
	return view_set_notes(view, facts->notes, facts->n_notes);
}

int view_create(const struct report_snapshot *snapshot, const struct report_groups *groups,
		const struct view_facts *facts, struct view **ret)
{
	struct view *view = calloc(1, sizeof(*view));
	struct making making = {.view = view, .facts = facts};
	int err = view ? add_facts(view, facts) : -ENOMEM;

	if (!err) {
		view->bytes = groups->bytes;
		view->blocks = groups->blocks;
		view->all_bytes = groups->all_bytes;
		view->all_blocks = groups->all_blocks;
		view->stacks = calloc(groups->n_groups + 1, sizeof(*view->stacks));
		err = view->stacks ? add_sums(view, groups) : -ENOMEM;
	}
	for (size_t i = 0; i < groups->n_groups && !err; i++)
		err = add_stack(&making, snapshot, &groups->groups[i]);
	if (err) {
		view_free(view);
		return err;
	}
	*ret = view;
	return 0;
}

void view_free(struct view *view)
{
	if (!view)
		return;
	for (size_t i = 0; i < view->n_stacks; i++)
		free((void *)view->stacks[i].frames);
	free(view->stacks);
	free(view->reports);
	free(view->histories);
	free(view->sums);
	free(view->notes);
	free(view->processes);
	free(view->modules);
	strings_free(&view->strings);
	free(view);
}

int64_t view_growth_per_minute(const struct view *view, const struct view_stack *stack)
{
	bool is_first = view->n_reports <= 1;
	uint64_t from_ns = is_first ? 0 : view->reports[0].elapsed_ns, from_bytes = 0;

	if (!stack->n_history || view->elapsed_ns <= from_ns)
		return 0;
	if (!is_first && stack->n_history == view->n_reports)
		from_bytes = stack->history[0];
	return llround(((double)stack->bytes - (double)from_bytes) * 60e9 /
		       (double)(view->elapsed_ns - from_ns));
}
