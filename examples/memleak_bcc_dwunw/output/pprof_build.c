/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/pprof_build.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "output/escape.h"

/* An array of `n` of these messages, and the list of pointers to them that protobuf-c wants; never of size 0. */
#define MAKE(n, items, list, init)                                                                 \
	({                                                                                         \
		size_t n_made = (n);                                                               \
                                                                                                   \
		(items) = calloc(n_made + 1, sizeof(*(items)));                                    \
		(list) = calloc(n_made + 1, sizeof(*(list)));                                      \
		for (size_t made = 0; (items) && (list) && made < n_made; made++) {                \
			init(&(items)[made]);                                                      \
			(list)[made] = &(items)[made];                                             \
		}                                                                                  \
		(items) && (list) ? 0 : -ENOMEM;                                                   \
	})

int pprof_text(struct pprof_build *build, const char *name, int64_t *ret)
{
	char *text = escape_name(name, "");
	int err = text ? texts_add(&build->texts, text, ret) : -ENOMEM;

	free(text);
	return err;
}

/* The module that is the program: its name begins with that of the process, or it has `main`; VIEW_NO_MODULE: not known. */
static uint32_t find_program(const struct pprof_build *build)
{
	const struct view *view = build->view;
	const char *comm = view->n_processes ? view->processes[0].comm : "";

	for (size_t i = 0; i < view->n_modules && comm[0]; i++)
		if (strncmp(path_base(view->modules[i].path), comm, strlen(comm)) == 0)
			return (uint32_t)i;
	for (size_t i = 0; i < build->table.n; i++) {
		const struct view_frame *frame = build->table.frames[i];

		if (frame->function && strcmp(frame->function, "main") == 0)
			return frame->module;
	}
	return VIEW_NO_MODULE;
}

/* pprof calls the first mapping the program. */
static void put_program_first(struct pprof_build *build)
{
	Pprof__Mapping **list = build->profile.mapping, *first;
	uint32_t program = find_program(build);

	if (program == VIEW_NO_MODULE)
		return;
	first = list[program];
	memmove(list + 1, list, program * sizeof(Pprof__Mapping *));
	list[0] = first;
}

/* What is known of a mapping's frames, so that a reader sees what it may look up itself. */
static void describe_frame(struct pprof_build *build, const struct view_frame *frame)
{
	Pprof__Mapping *mapping;

	if (frame->module == VIEW_NO_MODULE)
		return;
	mapping = &build->mappings[frame->module];
	if (!frame->function)
		mapping->has_functions = false;
	if (frame->file)
		mapping->has_filenames = true;
	if (frame->line)
		mapping->has_line_numbers = true;
	if (frame->inlined)
		mapping->has_inline_frames = true;
}

static int add_mappings(struct pprof_build *build)
{
	const struct view *view = build->view;
	int err = MAKE(view->n_modules, build->mappings, build->profile.mapping,
		       pprof__mapping__init);

	for (size_t i = 0; i < view->n_modules && !err; i++) {
		const struct view_module *module = &view->modules[i];
		Pprof__Mapping *mapping = &build->mappings[i];

		mapping->id = i + 1;
		mapping->memory_start = module->start;
		mapping->memory_limit = module->end;
		mapping->file_offset = module->file_off;
		mapping->has_functions = true;
		err = pprof_text(build, module->path, &mapping->filename);
		if (!err)
			err = pprof_text(build, module->build_id, &mapping->build_id);
	}
	if (err)
		return err;
	build->profile.n_mapping = view->n_modules;
	for (size_t i = 0; i < build->table.n; i++)
		describe_frame(build, build->table.frames[i]);
	put_program_first(build);
	return 0;
}

/* By the texts of name and file. The name that the file has is not kept where it was demangled: that shown stands for both. */
static int compare_functions(const void *left, const void *right)
{
	const Pprof__Function *a = left, *b = right;

	if (a->name != b->name)
		return a->name < b->name ? -1 : 1;
	return a->filename < b->filename ? -1 : a->filename > b->filename;
}

static int find_function(struct pprof_build *build, const struct view_frame *frame, uint64_t *ret)
{
	Pprof__Profile *profile = &build->profile;
	Pprof__Function *next = profile->function[profile->n_function], **found;
	int err = pprof_text(build, frame->function, &next->name);

	if (!err)
		err = pprof_text(build, frame->file ? frame->file : "", &next->filename);
	if (err)
		return err;
	next->system_name = next->name;
	next->id = profile->n_function + 1;
	found = tsearch(next, &build->functions_root, compare_functions);
	if (!found)
		return -ENOMEM;
	profile->n_function += *found == next;
	*ret = (*found)->id;
	return 0;
}

static int add_line(struct pprof_build *build, Pprof__Location *location,
		    const struct view_frame *frame)
{
	Pprof__Line *line = &build->lines[build->n_lines];

	if (!frame->function)
		return 0;
	build->line_list[build->n_lines++] = line;
	location->n_line++;
	line->line = frame->line;
	line->column = frame->column;
	return find_function(build, frame, &line->function_id);
}

/*
 * The address of the call, as profiles have it, or at least one in that instruction: pc is where it returns to. Not out of the function, where a
 * signal interrupted it at its first instruction.
 */
static uint64_t address_of(const struct view_frame *frame)
{
	return frame->pc && (frame->offset || !frame->function) ? frame->pc - 1 : frame->pc;
}

/* `frames`: a function with those inlined into it, the innermost first, `n` in all. */
static int add_location(struct pprof_build *build, const struct view_frame *frames, size_t n,
			uint64_t *ret)
{
	const struct view_frame *last = &frames[n - 1];
	Pprof__Location *location = build->profile.location[build->profile.n_location++];
	int err = 0;

	location->id = *ret = build->profile.n_location;
	location->mapping_id = last->module == VIEW_NO_MODULE ? 0 : last->module + 1;
	location->address = address_of(last);
	location->line = &build->line_list[build->n_lines];
	for (size_t i = 0; i < n && !err; i++)
		err = add_line(build, location, &frames[i]);
	return err;
}

/* How many of the frames are one location. */
static size_t length_of_run(const struct view_frame *frames, size_t n)
{
	size_t length = 1;

	while (length < n && frames[length - 1].inlined)
		length++;
	return length;
}

/* Locations of all stacks; *n_lines: what lines they need at most. */
static void count_locations(const struct pprof_build *build, size_t *n_lines)
{
	const uint32_t *of = build->table.of;

	*n_lines = 0;
	for (size_t i = 0; i < build->view->n_stacks; i++) {
		const struct view_stack *stack = &build->view->stacks[i];

		for (size_t k = 0; k < stack->n_frames;) {
			size_t run = length_of_run(stack->frames + k, stack->n_frames - k);

			k += run;
			if (!build->location_of[of[k - 1]])
				*n_lines += run;
			build->location_of[of[k - 1]] = 1;
		}
		of += stack->n_frames;
	}
	memset(build->location_of, 0, (build->table.n + 1) * sizeof(*build->location_of));
}

static int add_stack(struct pprof_build *build, size_t i, const uint32_t *of, uint64_t *ids)
{
	const struct view_stack *stack = &build->view->stacks[i];
	struct pprof_stack *made = &build->stacks[i];
	int err = 0;

	made->ids = ids;
	for (size_t k = 0; k < stack->n_frames && !err;) {
		size_t run = length_of_run(stack->frames + k, stack->n_frames - k);
		uint64_t *id = &build->location_of[of[k + run - 1]];

		if (!*id)
			err = add_location(build, stack->frames + k, run, id);
		ids[made->n++] = *id;
		k += run;
	}
	return err;
}

static int add_stacks(struct pprof_build *build)
{
	Pprof__Profile *profile = &build->profile;
	const struct view *view = build->view;
	const uint32_t *of = build->table.of;
	size_t n_lines, at = 0;
	int err;

	build->location_of = calloc(build->table.n + 1, sizeof(*build->location_of));
	build->ids = calloc(build->table.n_of + 1, sizeof(*build->ids));
	build->stacks = calloc(view->n_stacks + 1, sizeof(*build->stacks));
	if (!build->location_of || !build->ids || !build->stacks)
		return -ENOMEM;
	count_locations(build, &n_lines);
	err = MAKE(n_lines, build->lines, build->line_list, pprof__line__init);
	if (!err)
		err = MAKE(build->table.n, build->locations, profile->location,
			   pprof__location__init);
	/* one more, which is tried before it is known whether there is such a one */
	if (!err)
		err = MAKE(build->table.n + 1, build->functions, profile->function,
			   pprof__function__init);
	for (size_t i = 0; i < view->n_stacks && !err; i++) {
		err = add_stack(build, i, of + at, build->ids + at);
		at += view->stacks[i].n_frames;
	}
	return err;
}

int pprof_build_begin(const struct view *view, struct pprof_build *ret)
{
	int64_t none;
	int err;

	*ret = (struct pprof_build){.view = view};
	pprof__profile__init(&ret->profile);
	pprof__value_type__init(&ret->period_type);
	for (size_t i = 0; i < 2; i++) {
		pprof__value_type__init(&ret->types[i]);
		ret->type_list[i] = &ret->types[i];
	}
	ret->profile.sample_type = ret->type_list;
	ret->profile.n_sample_type = 2;
	err = pprof_text(ret, "", &none); /* number 0 is no text */
	if (!err)
		err = frame_table_create(view, &ret->table);
	if (!err)
		err = add_mappings(ret);
	return err ? err : add_stacks(ret);
}

int pprof_make_samples(struct pprof_build *build, size_t n)
{
	int err = MAKE(n, build->samples, build->profile.sample, pprof__sample__init);

	build->values = calloc(2 * n + 1, sizeof(*build->values));
	if (!err)
		err = MAKE(PPROF_MAX_LABELS * n, build->labels, build->label_list,
			   pprof__label__init);
	if (err || !build->values)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		build->samples[i].value = &build->values[2 * i];
		build->samples[i].label = &build->label_list[PPROF_MAX_LABELS * i];
	}
	return 0;
}

static void keep_node(void *node)
{
	(void)node; /* one of build->functions */
}

void pprof_build_free(struct pprof_build *build)
{
	tdestroy(build->functions_root, keep_node);
	frame_table_free(&build->table);
	texts_free(&build->texts);
	free(build->stacks);
	free(build->ids);
	free(build->location_of);
	free(build->mappings);
	free(build->functions);
	free(build->locations);
	free(build->lines);
	free(build->line_list);
	free(build->samples);
	free(build->labels);
	free(build->label_list);
	free(build->values);
	free(build->profile.mapping);
	free(build->profile.function);
	free(build->profile.location);
	free(build->profile.sample);
	free(build->profile.comment);
}
