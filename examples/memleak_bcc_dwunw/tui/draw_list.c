/* SPDX-License-Identifier: BSD-2-Clause */
/* The list: a row a stack. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output/frames.h"
#include "output/view.h"
#include "symbolize/short_name.h"
#include "tui/format.h"
#include "tui/model_internal.h"

#define LEAST_NAME 12 /* columns */
#define HISTORY 12    /* reports, one a column */

/* Columns from left to right; those of width 0 are left out. One blank is between two. */
struct columns {
	size_t bytes, share, bar, blocks, oldest, growth, history, pid;
};

static struct columns columns_of(const struct tui_model *model)
{
	struct columns columns = {.bytes = 9, .growth = 10};

	if (model->cols >= 60) {
		columns.bar = 6;
		columns.blocks = 6;
		columns.oldest = model->view && model->view->no_ages ? 0 : 6;
	}
	if (model->cols >= 100) {
		columns.share = 6;
		columns.bar = 12;
	}
	if (model->cols >= 120 && model->utf8 && model->n_order &&
	    model->view->stacks[model->order[0]].n_history > 1)
		columns.history = HISTORY;
	if (model->view && model->view->n_processes > 1 && model->cols >= 70)
		columns.pid = 7;
	return columns;
}

static void put_heading(struct tui_pen *pen, size_t width, const char *text, bool sorted)
{
	size_t end = pen->col + width;

	if (!width)
		return;
	pen_right(pen, sorted ? TUI_KEY : TUI_HEADING, end, text);
	pen_text(pen, TUI_HEADING, " ");
}

static void draw_headings(const struct tui_model *model, struct tui_grid *grid)
{
	struct columns columns = columns_of(model);
	struct tui_pen pen = pen_at(grid, TUI_HEADER_ROWS - 1, 0, model->cols);

	pen_fill(&pen, TUI_HEADING);
	pen.col = 0;
	put_heading(&pen, columns.bytes, "SIZE", model->sort == TUI_SORT_SIZE);
	put_heading(&pen, columns.share, "SHARE", false);
	put_heading(&pen, columns.bar, "", false);
	put_heading(&pen, columns.blocks, "COUNT", model->sort == TUI_SORT_COUNT);
	put_heading(&pen, columns.oldest, "AGE", model->sort == TUI_SORT_AGE);
	put_heading(&pen, columns.growth, "GROWTH/MIN", model->sort == TUI_SORT_GROWTH);
	put_heading(&pen, columns.history, "LAST REPORTS", false);
	put_heading(&pen, columns.pid, "PID", false);
	if (model->outward)
		pen_format(&pen, TUI_HEADING, " STACK, without the first %zu functions",
			   model->outward);
	else
		pen_format(&pen, TUI_HEADING, " STACK, innermost function first");
}

static void put_number(struct tui_pen *pen, size_t width, const char *text)
{
	if (!width)
		return;
	pen_right(pen, TUI_PLAIN, pen->col + width, text);
	pen_text(pen, TUI_PLAIN, " ");
}

/* What the list is sorted by, as a share of the largest. */
static double share_of(const struct tui_model *model, const struct view_stack *stack)
{
	const struct view_stack *first = &model->view->stacks[model->order[0]];
	double value = (double)stack->bytes, most = (double)first->bytes;

	if (model->sort == TUI_SORT_COUNT) {
		value = (double)stack->blocks;
		most = (double)first->blocks;
	} else if (model->sort == TUI_SORT_AGE) {
		value = (double)stack->oldest_ns;
		most = (double)first->oldest_ns;
	} else if (model->sort == TUI_SORT_GROWTH) {
		value = (double)stack->growth_bytes;
		most = (double)first->growth_bytes;
	}
	return value > 0 && most > 0 ? value / most : 0;
}

/* U+2588 is a full block, the next seven are each an eighth narrower. */
static void put_bar(struct tui_pen *pen, size_t width, double share)
{
	size_t end = pen->col + width, eighths = (size_t)(share * (double)width * 8 + 0.5);

	if (!width)
		return;
	if (!pen->grid->utf8) /* in whole columns */
		eighths = (eighths + 4) / 8 * 8;
	for (; eighths >= 8 && pen->col < end; eighths -= 8)
		pen_symbol(pen, TUI_BAR, 0x2588, '#');
	if (eighths && pen->col < end)
		pen_symbol(pen, TUI_BAR, 0x2590 - (uint32_t)eighths, '#');
	while (pen->col < end + 1 && pen->col < pen->end)
		pen_text(pen, TUI_PLAIN, " ");
}

/* U+2581 to U+2588 are blocks of one to eight eighths of the height; the largest of these reports has eight. */
static void put_history(struct tui_pen *pen, size_t width, const struct view_stack *stack)
{
	size_t n = stack->n_history < width ? stack->n_history : width;
	const uint64_t *bytes = stack->history + stack->n_history - n;
	uint64_t most = 1;

	if (!width)
		return;
	for (size_t i = 0; i < n; i++)
		most = bytes[i] > most ? bytes[i] : most;
	for (size_t i = n; i < width; i++)
		pen_text(pen, TUI_PLAIN, " ");
	for (size_t i = 0; i < n; i++) {
		double share = (double)bytes[i] / (double)most;

		if (bytes[i])
			pen_symbol(pen, TUI_BAR, 0x2581 + (uint32_t)(share * 7 + 0.5), ' ');
		else
			pen_text(pen, TUI_PLAIN, " ");
	}
	pen_text(pen, TUI_PLAIN, " ");
}

/* Since the last minute or so, for each minute. */
static const char *growth_text(const struct tui_model *model, const struct view_stack *stack,
			       char text[FORMAT_SIZE])
{
	double minutes = model->facts.growth_s / 60;

	return minutes > 0 ? format_growth((double)stack->growth_bytes / minutes, text) : "-";
}

/* A function without a name is where it is in its file, which is named unless it is that of `last` (NULL: none), nameless as well. */
static char *name_of(const struct view *view, const struct view_frame *frame,
		     const struct view_frame *last)
{
	char *name, *offset;

	if (!frame->function && frame->module == VIEW_NO_MODULE)
		return asprintf(&name, "%#" PRIx64, frame->pc) < 0 ? NULL : name;
	name = frame_name(view, frame);
	offset = name && !frame->function ? strrchr(name, '+') : NULL;
	if (offset && strncmp(offset, "+0x", 3) == 0 && last && !last->function &&
	    last->module == frame->module)
		memmove(name + 1, offset, strlen(offset) + 1);
	return name;
}

/* One function; long names leave room for those that call it. */
static void put_name(struct tui_pen *pen, const char *name, size_t most)
{
	char *brief = brief_name(name);
	size_t length = brief ? strlen(brief) : 0;
	struct tui_pen part = *pen;

	if (length > 4 && strcmp(brief + length - 4, "(..)") == 0)
		brief[length - 4] = '\0';
	if (part.col + most < part.end)
		part.end = part.col + most;
	if (part.col < part.end)
		pen_text(&part, TUI_PLAIN, brief ? brief : name);
	pen->col = part.col;
	pen->cut = part.cut && part.end == pen->end;
	free(brief);
}

/* Those further out than the first `outward`; of a stack that has no more, the last. */
static void put_names(struct tui_pen *pen, const struct view *view, const struct view_stack *stack,
		      size_t outward)
{
	size_t most = (pen->end - pen->col) * 3 / 5;
	size_t first = outward < stack->n_frames ? outward : stack->n_frames - !!stack->n_frames;

	if (!stack->n_frames)
		pen_text(pen, TUI_DIM, stack->stop ? stack->stop : "no frames are known");
	for (size_t i = first; i < stack->n_frames; i++) {
		char *name;

		if (pen->col + LEAST_NAME / 2 > pen->end)
			break;
		if (i)
			pen_text(pen, TUI_DIM, " < ");
		name = name_of(view, &stack->frames[i], i > first ? &stack->frames[i - 1] : NULL);
		put_name(pen, name ? name : "?", most > LEAST_NAME ? most : LEAST_NAME);
		free(name);
	}
}

static void draw_stack(const struct tui_model *model, struct tui_grid *grid, size_t row,
		       const struct view_stack *stack)
{
	struct columns columns = columns_of(model);
	struct tui_pen pen = pen_at(grid, row, 0, model->cols);
	const struct view *view = model->view;
	char text[FORMAT_SIZE];

	put_number(&pen, columns.bytes, format_bytes(stack->bytes, text));
	snprintf(text, sizeof(text), "%.1f%%",
		 view->bytes ? 100 * (double)stack->bytes / (double)view->bytes : 0);
	put_number(&pen, columns.share, text);
	put_bar(&pen, columns.bar, share_of(model, stack));
	put_number(&pen, columns.blocks, format_count(stack->blocks, text));
	put_number(&pen, columns.oldest, format_age(stack->oldest_ns, text));
	put_number(&pen, columns.growth, growth_text(model, stack, text));
	put_history(&pen, columns.history, stack);
	snprintf(text, sizeof(text), "%u", stack->pid);
	put_number(&pen, columns.pid, text);
	pen.col += pen.col < pen.end;
	pen.match = model->filter;
	put_names(&pen, view, stack, model->outward);
}

static void draw_nothing(const struct tui_model *model, struct tui_grid *grid)
{
	struct tui_pen pen = pen_at(grid, TUI_HEADER_ROWS + 1, 2, model->cols);

	if (!model->view)
		return;
	if (model->view->n_stacks)
		pen_text(&pen, TUI_PLAIN, "no stack has that in it");
	else
		pen_format(&pen, TUI_PLAIN, "nothing is outstanding that is older than %g s",
			   (double)model->view->min_age_ns / 1e9);
}

void draw_list(const struct tui_model *model, struct tui_grid *grid)
{
	struct tui_layout layout = model_layout(model);

	draw_headings(model, grid);
	if (!model->n_order)
		draw_nothing(model, grid);
	for (size_t i = 0; i < layout.n_list && model->top + i < model->n_order; i++) {
		size_t row = layout.list_row + i, place = model->top + i;

		draw_stack(model, grid, row, &model->view->stacks[model->order[place]]);
		if (place == model->cursor)
			grid_select_row(grid, row);
	}
}
