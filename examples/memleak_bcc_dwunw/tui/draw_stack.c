/* SPDX-License-Identifier: BSD-2-Clause */
/* One stack, a line a function; and the other pages that take the place of the list. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output/view.h"
#include "symbolize/short_name.h"
#include "tui/format.h"
#include "tui/model_internal.h"

/* Lines of 78 columns at most. */
static const char *const help[] = {
	"up, down, k, j   the stack before, the one after; it stays selected wherever",
	"PgUp, PgDn       it goes",
	"End, Home        the last; the first, whichever that is from then on",
	"right, left      names in the list from further out, further in",
	"Enter            the selected stack alone; arrows scroll it; Esc: back",
	"s                sort by size, count, age of the oldest block, growth",
	"/                only stacks with this text in a function, source file, module",
	"                 or command name; Esc: all again",
	"p                pause: nothing new is shown until p again",
	"r                new data now",
	"w                write what is shown: the files of --output, or else",
	"                 memleak-PID-TIME.json",
	"m                messages: what is missing, and why",
	"Ctrl-L           draw the screen anew",
	"q, Ctrl-C        end",
	"",
	"SIZE, COUNT      bytes and blocks that are outstanding; the bar shows what the",
	"                 list is sorted by",
	"AGE              of the oldest of these blocks",
	"GROWTH/MIN       of SIZE, in the last minute or as much of it as was seen",
	"LAST REPORTS     SIZE at each, where there is room",
	"/s recorded      allocations a second whose stack was taken: sampling leaves",
	"                 others out; /s calls: all calls, known with --max-overhead",
	"overhead         of the probes to the processes; known with --max-overhead",
};

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* " FILE:LINE"; NULL: not known. To be freed. */
static char *place_of(const struct view_frame *frame, bool whole)
{
	char *ret = NULL;

	if (!frame->file || asprintf(&ret, "%s:%" PRIu32,
				     whole ? frame->file : base_of(frame->file), frame->line) < 0)
		return NULL;
	return ret;
}

static void put_function(struct tui_pen *pen, const struct view_frame *frame, bool whole)
{
	char *brief = frame->function && !whole ? brief_name(frame->function) : NULL;

	if (frame->function)
		pen_text(pen, TUI_PLAIN, brief ? brief : frame->function);
	else
		pen_format(pen, TUI_PLAIN, "%#" PRIx64, frame->pc);
	if (frame->function && !frame->inlined && whole)
		pen_format(pen, TUI_DIM, "+0x%" PRIx64, frame->offset);
	free(brief);
}

static void put_module(const struct tui_model *model, struct tui_pen *pen,
		       const struct view_frame *frame, bool whole)
{
	const char *path;

	if (frame->inlined)
		pen_text(pen, TUI_DIM, "  (inlined)");
	if (frame->by_frame_pointer)
		pen_text(pen, TUI_DIM, "  (by frame pointer)");
	if (frame->inlined || frame->module == VIEW_NO_MODULE)
		return;
	path = model->view->modules[frame->module].path;
	pen_text(pen, TUI_DIM, "  [");
	pen_text(pen, TUI_DIM, whole ? path : base_of(path));
	pen_text(pen, TUI_DIM, "]");
}

/* In the pane names are brief, and leave room for where that is. */
static void draw_frame(const struct tui_model *model, struct tui_pen *pen,
		       const struct view_frame *frame, size_t number)
{
	bool whole = model->page == TUI_PAGE_STACK;
	char *place = place_of(frame, true), text[24] = "";
	size_t end = pen->end, width = 0;

	if (place && !whole && grid_width(model->utf8, place) > end / 2) {
		free(place);
		place = place_of(frame, false);
	}
	if (place)
		width = grid_width(model->utf8, place) + 2;
	if (!frame->inlined)
		snprintf(text, sizeof(text), "%zu", number);
	pen_right(pen, TUI_DIM, pen->col + 4, text);
	pen_text(pen, TUI_PLAIN, " ");
	pen->skip = whole ? model->shift : 0;
	pen->match = model->filter;
	if (!whole)
		pen->end -= width < end / 2 ? width : end / 2;
	put_function(pen, frame, whole);
	pen->cut &= whole;
	pen->end = end;
	if (place) {
		pen_text(pen, TUI_PLAIN, "  ");
		pen_text(pen, TUI_STRONG, place);
	}
	put_module(model, pen, frame, whole);
	free(place);
}

/* Lines `first` to `first` + n of the stack; the last says why it ends there. */
static void draw_frames(const struct tui_model *model, struct tui_grid *grid,
			const struct view_stack *stack, size_t row, size_t first, size_t n)
{
	size_t number = 0;

	for (size_t i = 0; i <= stack->n_frames && i < first + n; i++) {
		struct tui_pen pen = pen_at(grid, row + i - first, 0, model->cols);

		if (i == stack->n_frames) {
			if (i >= first && stack->stop)
				pen_format(&pen, TUI_WARNING, "   ! incomplete: %s", stack->stop);
			break;
		}
		if (i >= first)
			draw_frame(model, &pen, &stack->frames[i], number);
		number += !stack->frames[i].inlined;
	}
}

static void put_ages(const struct view_stack *stack, struct tui_pen *pen)
{
	char oldest[FORMAT_SIZE], median[FORMAT_SIZE];

	pen_format(pen, TUI_HEADING, ", oldest %s", format_age(stack->oldest_ns, oldest));
	if (stack->median_ns)
		pen_format(pen, TUI_HEADING, ", median %s", format_age(stack->median_ns, median));
}

/* Which stack of how many, and what it holds. */
static void draw_heading(const struct tui_model *model, struct tui_grid *grid, size_t row,
			 const struct view_stack *stack)
{
	struct tui_pen pen = pen_at(grid, row, 0, model->cols);
	char bytes[FORMAT_SIZE], blocks[FORMAT_SIZE];

	pen_fill(&pen, TUI_HEADING);
	pen.col = 0;
	pen_format(&pen, TUI_HEADING, " %zu/%zu: %s in %s blocks", model->cursor + 1,
		   model->n_order, format_bytes(stack->bytes, bytes),
		   format_exact(stack->blocks, blocks));
	if (!model->view->no_ages)
		put_ages(stack, &pen);
	if (stack->tid) {
		pen_format(&pen, TUI_HEADING, "  first seen in thread %u ", stack->tid);
		pen_text(&pen, TUI_HEADING, stack->comm);
	}
}

static const struct view_stack *selected(const struct tui_model *model)
{
	uint32_t number;

	return model_selected(model, &number) ? NULL : &model->view->stacks[number];
}

void draw_pane(const struct tui_model *model, struct tui_grid *grid)
{
	struct tui_layout layout = model_layout(model);
	const struct view_stack *stack = selected(model);
	size_t n_lines = stack ? stack->n_frames + !!stack->stop : 0;

	if (!stack || !layout.n_pane)
		return;
	draw_heading(model, grid, layout.pane_row, stack);
	draw_frames(model, grid, stack, layout.pane_row + 1, 0, layout.n_pane - 1);
	if (n_lines > layout.n_pane - 1) {
		struct tui_pen pen =
			pen_at(grid, layout.pane_row + layout.n_pane - 1, 0, model->cols);

		pen_fill(&pen, TUI_PLAIN);
		pen.col = 0;
		pen_format(&pen, TUI_DIM, "     %zu more lines: Enter",
			   n_lines - (layout.n_pane - 2));
	}
}

size_t model_page_lines(const struct tui_model *model)
{
	const struct view_stack *stack = selected(model);

	if (model->page == TUI_PAGE_MESSAGES)
		return model->facts.n_notes;
	if (model->page == TUI_PAGE_HELP)
		return sizeof(help) / sizeof(help[0]);
	return stack ? stack->n_frames + !!stack->stop : 0;
}

size_t model_page_room(const struct tui_model *model)
{
	struct tui_layout layout = model_layout(model);

	return layout.n_list + layout.n_pane;
}

static void draw_lines(const struct tui_model *model, struct tui_grid *grid, const char *heading,
		       const char *const *lines, size_t n)
{
	struct tui_pen pen = pen_at(grid, TUI_HEADER_ROWS - 1, 0, model->cols);
	size_t room = model_page_room(model);

	pen_format(&pen, TUI_HEADING, " %s", heading);
	pen_fill(&pen, TUI_HEADING);
	for (size_t i = 0; i < room && model->scroll + i < n; i++) {
		pen = pen_at(grid, TUI_HEADER_ROWS + i, 1, model->cols);
		pen.skip = model->shift;
		pen_text(&pen, TUI_PLAIN, lines[model->scroll + i]);
	}
}

void draw_page(const struct tui_model *model, struct tui_grid *grid)
{
	const struct view_stack *stack = selected(model);

	if (model->page == TUI_PAGE_HELP) {
		draw_lines(model, grid, "Keys, columns", help, sizeof(help) / sizeof(help[0]));
	} else if (model->page == TUI_PAGE_MESSAGES) {
		draw_lines(model, grid, "Messages, oldest first", model->facts.notes,
			   model->facts.n_notes);
	} else if (stack) {
		draw_heading(model, grid, TUI_HEADER_ROWS - 1, stack);
		draw_frames(model, grid, stack, TUI_HEADER_ROWS, model->scroll,
			    model_page_room(model));
	}
}
