/* SPDX-License-Identifier: BSD-2-Clause */
#include "tui/model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output/view.h"
#include "tui/model_internal.h"

#define LEAST_FOR_PANE 18 /* rows of the screen */
#define MOST_OF_PANE 24	  /* rows */

void model_init(struct tui_model *model, bool utf8)
{
	*model = (struct tui_model){.utf8 = utf8, .facts = {.overhead = -1}};
}

void model_free(struct tui_model *model)
{
	free(model->order);
	model->order = NULL;
	model->n_order = 0;
}

bool model_fits(const struct tui_model *model)
{
	return model->rows >= TUI_MIN_ROWS && model->cols >= TUI_MIN_COLS;
}

struct tui_layout model_layout(const struct tui_model *model)
{
	size_t body = model->rows > TUI_HEADER_ROWS + 2 ? model->rows - TUI_HEADER_ROWS - 2 : 0;
	size_t pane = model->rows >= LEAST_FOR_PANE ? body / 2 : 0;

	if (pane > MOST_OF_PANE)
		pane = MOST_OF_PANE;
	return (struct tui_layout){
		.list_row = TUI_HEADER_ROWS,
		.n_list = body - pane,
		.pane_row = TUI_HEADER_ROWS + body - pane,
		.n_pane = pane,
		.status_row = model->rows - 2,
		.footer_row = model->rows - 1,
	};
}

static bool has(const char *text, const char *what)
{
	return text && strcasestr(text, what);
}

static bool passes(const struct view *view, const struct view_stack *stack, const char *filter)
{
	if (!filter[0] || has(stack->comm, filter))
		return true;
	for (size_t i = 0; i < stack->n_frames; i++) {
		const struct view_frame *frame = &stack->frames[i];

		if (has(frame->function, filter) || has(frame->file, filter))
			return true;
		if (frame->module != VIEW_NO_MODULE &&
		    has(view->modules[frame->module].path, filter))
			return true;
	}
	return false;
}

static int64_t key_of(const struct view_stack *stack, enum tui_sort sort)
{
	uint64_t key = sort == TUI_SORT_COUNT ? stack->blocks
		       : sort == TUI_SORT_AGE ? stack->oldest_ns
					      : stack->bytes;

	if (sort == TUI_SORT_GROWTH)
		return stack->growth_bytes;
	return key > INT64_MAX ? INT64_MAX : (int64_t)key;
}

static int compare(const void *left, const void *right, void *context)
{
	const struct tui_model *model = context;
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
	const struct view_stack *stacks = model->view->stacks;
	int64_t key_a = key_of(&stacks[a], model->sort), key_b = key_of(&stacks[b], model->sort);

	if (key_a != key_b)
		return key_a < key_b ? 1 : -1;
	if (stacks[a].bytes != stacks[b].bytes)
		return stacks[a].bytes < stacks[b].bytes ? 1 : -1;
	return a < b ? -1 : 1;
}

/* The cursor is in the list, and in sight. */
void model_keep_in_sight(struct tui_model *model)
{
	size_t n = model_layout(model).n_list;

	if (model->cursor >= model->n_order)
		model->cursor = model->n_order ? model->n_order - 1 : 0;
	if (model->top > model->cursor)
		model->top = model->cursor;
	if (n && model->cursor - model->top >= n)
		model->top = model->cursor - n + 1;
	if (model->top + n > model->n_order)
		model->top = model->n_order > n ? model->n_order - n : 0;
}

static bool is_followed(const struct tui_model *model, size_t place)
{
	const struct view_stack *stack = &model->view->stacks[model->order[place]];

	return stack->identity == model->identity && stack->pid == model->pid;
}

/* Onto the stack that it was on; none takes the place of one that is shown alone. */
static void find_cursor(struct tui_model *model)
{
	size_t place = 0;

	while (model->follows && place < model->n_order && !is_followed(model, place))
		place++;
	if (model->follows && place < model->n_order) {
		model->cursor = place;
	} else if (model->follows) {
		model->follows = false;
		if (model->page == TUI_PAGE_STACK) {
			model->page = TUI_PAGE_LIST;
			snprintf(model->status, sizeof(model->status),
				 "of that stack nothing is outstanding any more");
		}
	}
	model_keep_in_sight(model);
}

int model_order(struct tui_model *model)
{
	const struct view *view = model->view;
	uint32_t *order = view ? calloc(view->n_stacks + 1, sizeof(*order)) : NULL;

	model_free(model);
	if (!order)
		return view ? -ENOMEM : 0;
	for (size_t i = 0; i < view->n_stacks; i++)
		if (passes(view, &view->stacks[i], model->filter))
			order[model->n_order++] = (uint32_t)i;
	model->order = order;
	qsort_r(order, model->n_order, sizeof(*order), compare, model);
	find_cursor(model);
	return 0;
}

int model_take(struct tui_model *model, const struct view *view)
{
	model->view = view;
	return model_order(model);
}

void model_resize(struct tui_model *model, size_t rows, size_t cols)
{
	model->rows = rows;
	model->cols = cols;
	model_keep_in_sight(model);
}

int model_selected(const struct tui_model *model, uint32_t *ret)
{
	if (model->cursor >= model->n_order)
		return -ENOENT;
	*ret = model->order[model->cursor];
	return 0;
}

bool model_needs_all_names(const struct tui_model *model)
{
	return model->typing || model->filter[0];
}

size_t model_shown(const struct tui_model *model, uint32_t *ret, size_t max)
{
	size_t n_list = model_layout(model).n_list, n = 0;

	/* the selected one is one of them */
	for (size_t i = model->top; i < model->n_order && i < model->top + n_list && n < max; i++)
		ret[n++] = model->order[i];
	return n;
}
