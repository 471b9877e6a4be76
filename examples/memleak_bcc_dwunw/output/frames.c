/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/frames.h"

#include <errno.h>
#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output/view.h"

/* In a search tree: however frames are chosen, each is found in a time that grows with the logarithm of their number. */
struct numbered {
	const struct view_frame *frame;
	uint32_t index;
};

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* Texts of a view are kept once: their addresses say whether they are equal. */
static int compare_entries(const void *left, const void *right)
{
	const struct view_frame *a = ((const struct numbered *)left)->frame;
	const struct view_frame *b = ((const struct numbered *)right)->frame;
	const uint64_t differences[][2] = {
		{a->pc, b->pc},
		{a->module, b->module},
		{(uintptr_t)a->function, (uintptr_t)b->function},
		{(uintptr_t)a->file, (uintptr_t)b->file},
		{a->line, b->line},
		{a->column, b->column},
		{a->offset, b->offset},
		{a->inlined, b->inlined},
		{a->by_frame_pointer, b->by_frame_pointer},
	};
	int order = 0;

	for (size_t i = 0; i < sizeof(differences) / sizeof(differences[0]) && !order; i++)
		order = compare_numbers(differences[i][0], differences[i][1]);
	return order;
}

static void keep_node(void *node)
{
	(void)node; /* one of an array */
}

/* Gives each frame its index; `entries` has room for all. */
static int find_all(const struct view *view, struct numbered *entries, struct frame_table *table)
{
	void *root = NULL;
	int err = 0;

	for (size_t i = 0; i < view->n_stacks && !err; i++) {
		const struct view_stack *stack = &view->stacks[i];

		for (size_t k = 0; k < stack->n_frames && !err; k++) {
			struct numbered *entry = &entries[table->n], **found;

			*entry = (struct numbered){&stack->frames[k], (uint32_t)table->n};
			found = tsearch(entry, &root, compare_entries);
			if (!found) {
				err = -ENOMEM;
				break;
			}
			if (*found == entry)
				table->frames[table->n++] = entry->frame;
			table->of[table->n_of++] = (*found)->index;
		}
	}
	tdestroy(root, keep_node);
	return err;
}

int frame_table_create(const struct view *view, struct frame_table *ret)
{
	struct frame_table table = {};
	struct numbered *entries;
	size_t n = 0;
	int err = -ENOMEM;

	for (size_t i = 0; i < view->n_stacks; i++)
		n += view->stacks[i].n_frames;
	entries = calloc(n + 1, sizeof(*entries));
	table.frames = calloc(n + 1, sizeof(*table.frames));
	table.of = calloc(n + 1, sizeof(*table.of));
	if (entries && table.frames && table.of && n < UINT32_MAX)
		err = find_all(view, entries, &table);
	free(entries);
	if (err)
		frame_table_free(&table);
	else
		*ret = table;
	return err;
}

void frame_table_free(struct frame_table *table)
{
	free(table->frames);
	free(table->of);
	*table = (struct frame_table){};
}

const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

char *frame_name(const struct view *view, const struct view_frame *frame)
{
	const struct view_module *module =
		frame->module == VIEW_NO_MODULE ? NULL : &view->modules[frame->module];
	char *name;
	int length;

	if (frame->function)
		return strdup(frame->function);
	if (!module)
		return strdup("[unknown]");
	if (frame->pc >= module->start && frame->pc < module->end)
		length = asprintf(&name, "[%s+0x%" PRIx64 "]", path_base(module->path),
				  frame->pc - module->start + module->file_off);
	else
		length = asprintf(&name, "[%s]", path_base(module->path));
	return length < 0 ? NULL : name;
}
