/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/compare.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "output/frames.h"
#include "output/view.h"

/* By what processes are told apart. */
enum process_key { PROCESS_ANY, PROCESS_PID, PROCESS_NAME };

/* A stack of one of the views. */
struct side {
	const struct view *view;
	const struct view_stack *stack;
	const char *process; /* its name */
	size_t index;
	bool is_before;
	uint64_t hash;
};

struct comparison {
	enum process_key processes;
	bool places; /* also the place in each function; inlined ones are part of that */
	struct side *sides;
	size_t n_sides;
	size_t *match; /* by stack of the new view: 1 more than the index in the old one; 0: none */
	bool *matched; /* by stack of the old view */
};

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* NULL is smaller than any text. */
static int compare_texts(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) : !!a - !!b;
}

static const char *file_of(const struct side *side, const struct view_frame *frame)
{
	return frame->module == VIEW_NO_MODULE ? NULL
					       : path_base(side->view->modules[frame->module].path);
}

/* Where in its function, or, if it has no name, in its file; 0: not known. */
static uint64_t place_of(const struct comparison *comparison, const struct side *side,
			 const struct view_frame *frame)
{
	const struct view_module *module;

	if (frame->function)
		return comparison->places ? frame->offset : 0;
	if (frame->module == VIEW_NO_MODULE)
		return 0;
	module = &side->view->modules[frame->module];
	if (frame->pc < module->start || frame->pc >= module->end)
		return 0;
	return frame->pc - module->start + module->file_off;
}

/* The next frame that counts, from *i on; NULL: none. */
static const struct view_frame *next_frame(const struct comparison *comparison,
					   const struct side *side, size_t *i)
{
	while (*i < side->stack->n_frames) {
		const struct view_frame *frame = &side->stack->frames[(*i)++];

		if (!comparison->places || !frame->inlined)
			return frame;
	}
	return NULL;
}

/* FNV-1a, 64 bits: draft-eastlake-fnv */
static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t n)
{
	const uint8_t *byte = bytes;

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ byte[i]) * 0x100000001b3ULL;
	return hash;
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
	return text ? hash_bytes(hash, text, strlen(text) + 1) : hash;
}

/* Spares most of the comparisons of texts; that sides are equal is never concluded from it. */
static uint64_t hash_of(const struct comparison *comparison, const struct side *side)
{
	uint64_t hash = hash_text(0xcbf29ce484222325ULL, side->stack->stop);
	const struct view_frame *frame;
	size_t i = 0;

	while ((frame = next_frame(comparison, side, &i))) {
		uint64_t place = place_of(comparison, side, frame);

		hash = hash_text(hash_text(hash, frame->function), file_of(side, frame));
		hash = hash_bytes(hash, &place, sizeof(place));
	}
	return hash;
}

static int compare_frames(const struct comparison *comparison, const struct side *a,
			  const struct side *b)
{
	size_t i = 0, k = 0;

	for (;;) {
		const struct view_frame *left = next_frame(comparison, a, &i);
		const struct view_frame *right = next_frame(comparison, b, &k);
		int order;

		if (!left || !right)
			return !!left - !!right;
		order = compare_texts(left->function, right->function);
		if (!order)
			order = compare_texts(file_of(a, left), file_of(b, right));
		if (!order)
			order = compare_numbers(place_of(comparison, a, left),
						place_of(comparison, b, right));
		if (order)
			return order;
	}
}

/* 0: the same stack. */
static int compare_keys(const struct comparison *comparison, const struct side *a,
			const struct side *b)
{
	int order = compare_numbers(a->hash, b->hash);

	if (!order && comparison->processes == PROCESS_PID)
		order = compare_numbers(a->stack->pid, b->stack->pid);
	if (!order && comparison->processes == PROCESS_NAME)
		order = compare_texts(a->process, b->process);
	if (!order)
		order = compare_texts(a->stack->stop, b->stack->stop);
	return order ? order : compare_frames(comparison, a, b);
}

/* Of those that are the same first the new ones, each in the order of its view. */
static int compare_sides(const void *left, const void *right, void *context)
{
	const struct side *a = left, *b = right;
	int order = compare_keys(context, a, b);

	if (!order)
		order = (int)a->is_before - (int)b->is_before;
	return order ? order : compare_numbers(a->index, b->index);
}

static const char *process_of(const struct view *view, const struct view_stack *stack)
{
	for (size_t i = 0; i < view->n_processes; i++)
		if (view->processes[i].pid == stack->pid)
			return view->processes[i].comm;
	return stack->comm;
}

/* Those without a match so far. */
static void add_sides(struct comparison *comparison, const struct view *view, bool is_before)
{
	for (size_t i = 0; i < view->n_stacks; i++) {
		struct side *side = &comparison->sides[comparison->n_sides];

		if (is_before ? comparison->matched[i] : comparison->match[i] != 0)
			continue;
		*side = (struct side){.view = view,
				      .stack = &view->stacks[i],
				      .process = process_of(view, &view->stacks[i]),
				      .index = i,
				      .is_before = is_before};
		side->hash = hash_of(comparison, side);
		comparison->n_sides++;
	}
}

/* Of several that are the same, the first of one view is that of the other, and so on. */
static void match_equal(struct comparison *comparison, const struct side *sides, size_t n)
{
	size_t n_new = 0;

	while (n_new < n && !sides[n_new].is_before)
		n_new++;
	for (size_t i = 0; i < n_new && n_new + i < n; i++) {
		comparison->match[sides[i].index] = sides[n_new + i].index + 1;
		comparison->matched[sides[n_new + i].index] = true;
	}
}

static void match(struct comparison *comparison, const struct view *view, const struct view *before,
		  bool places)
{
	const struct side *sides = comparison->sides;
	size_t first = 0;

	comparison->places = places;
	comparison->n_sides = 0;
	add_sides(comparison, view, false);
	add_sides(comparison, before, true);
	qsort_r(comparison->sides, comparison->n_sides, sizeof(*sides), compare_sides, comparison);
	for (size_t i = 1; i <= comparison->n_sides; i++) {
		if (i < comparison->n_sides && !compare_keys(comparison, &sides[first], &sides[i]))
			continue;
		match_equal(comparison, sides + first, i - first);
		first = i;
	}
}

static enum process_key choose_key(const struct view *view, const struct view *before)
{
	if (view->n_processes <= 1 && before->n_processes <= 1)
		return PROCESS_ANY;
	for (size_t i = 0; i < view->n_processes; i++)
		for (size_t k = 0; k < before->n_processes; k++)
			if (view->processes[i].pid == before->processes[k].pid)
				return PROCESS_PID;
	return PROCESS_NAME;
}

static int keep(struct view *view, const char *text, const char **ret)
{
	*ret = text ? strings_keep(&view->strings, text) : NULL;
	return text && !*ret ? -ENOMEM : 0;
}

/* What is carried over from the earlier view. */
struct carrying {
	struct view *view;
	const struct view *before;
	uint32_t *
		modules; /* by index in `before`: that in the view; VIEW_NO_MODULE: not there yet */
};

static int carry_module(struct carrying *carrying, uint32_t *module)
{
	struct view *view = carrying->view;
	uint32_t *moved = &carrying->modules[*module];
	struct view_module added = carrying->before->modules[*module];

	if (*moved == VIEW_NO_MODULE) {
		struct view_module *modules =
			reallocarray(view->modules, view->n_modules + 1, sizeof(*modules));

		if (!modules)
			return -ENOMEM;
		view->modules = modules;
		if (keep(view, added.path, &added.path) ||
		    keep(view, added.build_id, &added.build_id))
			return -ENOMEM;
		*moved = (uint32_t)view->n_modules;
		modules[view->n_modules++] = added;
	}
	*module = *moved;
	return 0;
}

static int carry_frame(struct carrying *carrying, const struct view_frame *from,
		       struct view_frame *frame)
{
	struct view *view = carrying->view;

	*frame = *from;
	if (keep(view, from->function, &frame->function) || keep(view, from->file, &frame->file))
		return -ENOMEM;
	return frame->module == VIEW_NO_MODULE ? 0 : carry_module(carrying, &frame->module);
}

/* A stack that holds nothing now. */
static int carry_stack(struct carrying *carrying, const struct view_stack *from)
{
	struct view *view = carrying->view;
	struct view_stack *stack = &view->stacks[view->n_stacks++];
	struct view_frame *frames = calloc(from->n_frames + 1, sizeof(*frames));
	int err = frames ? 0 : -ENOMEM;

	*stack = (struct view_stack){
		.identity = from->identity,
		.pid = from->pid,
		.tid = from->tid,
		.before_bytes = from->bytes,
		.before_blocks = from->blocks,
		.frames = frames,
		.n_frames = from->n_frames,
	};
	if (err || keep(view, from->comm, &stack->comm) || keep(view, from->stop, &stack->stop))
		return -ENOMEM;
	for (size_t i = 0; i < from->n_frames && !err; i++)
		err = carry_frame(carrying, &from->frames[i], &frames[i]);
	return err;
}

static int carry_rest(const struct comparison *comparison, struct view *view,
		      const struct view *before)
{
	struct carrying carrying = {
		.view = view,
		.before = before,
		.modules = calloc(before->n_modules + 1, sizeof(*carrying.modules)),
	};
	int err = carrying.modules ? 0 : -ENOMEM;

	for (size_t i = 0; i < before->n_modules && !err; i++)
		carrying.modules[i] = VIEW_NO_MODULE;
	for (size_t i = 0; i < before->n_stacks && !err; i++)
		if (!comparison->matched[i] && before->stacks[i].blocks)
			err = carry_stack(&carrying, &before->stacks[i]);
	free(carrying.modules);
	return err;
}

static int apply(const struct comparison *comparison, struct view *view, const struct view *before)
{
	struct view_stack *stacks =
		reallocarray(view->stacks, view->n_stacks + before->n_stacks + 1, sizeof(*stacks));

	if (!stacks)
		return -ENOMEM;
	view->stacks = stacks;
	for (size_t i = 0; i < view->n_stacks; i++) {
		size_t match = comparison->match[i];

		if (!match)
			continue;
		stacks[i].before_bytes = before->stacks[match - 1].bytes;
		stacks[i].before_blocks = before->stacks[match - 1].blocks;
	}
	return carry_rest(comparison, view, before);
}

int view_compare(struct view *view, const struct view *before)
{
	struct comparison comparison = {
		.processes = choose_key(view, before),
		.sides = calloc(view->n_stacks + before->n_stacks + 1, sizeof(*comparison.sides)),
		.match = calloc(view->n_stacks + 1, sizeof(*comparison.match)),
		.matched = calloc(before->n_stacks + 1, sizeof(*comparison.matched)),
	};
	int err = -ENOMEM;

	if (comparison.sides && comparison.match && comparison.matched) {
		match(&comparison, view, before, true);
		match(&comparison, view, before, false); /* of a program that was built anew */
		err = apply(&comparison, view, before);
	}
	free(comparison.sides);
	free(comparison.match);
	free(comparison.matched);
	if (err)
		return err;
	view->compared = true;
	view->before_when = before->when;
	view->before_bytes = before->bytes;
	view->before_blocks = before->blocks;
	return 0;
}
