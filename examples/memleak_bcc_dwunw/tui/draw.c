/* SPDX-License-Identifier: BSD-2-Clause */
/* The picture as a whole: header, footer, the line for the user. */
#include <stdio.h>
#include <string.h>

#include "output/view.h"
#include "tui/format.h"
#include "tui/model_internal.h"

#define NAME "memleak_dwunw_user"

static struct tui_pen line(const struct tui_model *model, struct tui_grid *grid, size_t row)
{
	return pen_at(grid, row, 0, model->cols);
}

static void draw_targets(const struct view *view, struct tui_pen *pen)
{
	if (strcmp(view->walk, VIEW_WALK_KERNEL) == 0)
		pen_text(pen, TUI_STRONG, " the kernel");
	for (size_t i = 0; i < view->n_processes; i++) {
		pen_format(pen, TUI_STRONG, "%s%u ", i ? ", " : " ", view->processes[i].pid);
		pen_text(pen, TUI_STRONG, view->processes[i].comm);
	}
}

/* Who, how large, since when. */
static void draw_who(const struct tui_model *model, struct tui_grid *grid)
{
	struct tui_pen left = line(model, grid, 0), right = left;
	const struct tui_facts *facts = &model->facts;
	char memory[FORMAT_SIZE], age[FORMAT_SIZE], text[128] = "";
	size_t width;

	if (model->view && facts->memory_label)
		snprintf(text, sizeof(text), "  %s %s", facts->memory_label,
			 format_bytes(facts->memory, memory));
	if (model->view)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "  traced %s",
			 format_age(model->view->elapsed_ns, age));
	width = strlen(text);
	left.end = width < model->cols ? model->cols - width : 0;
	right.col = left.end;
	if (model->cols >= 60)
		pen_text(&left, TUI_DIM, NAME);
	if (model->view)
		draw_targets(model->view, &left);
	pen_text(&right, TUI_PLAIN, text);
}

static void draw_overhead(const struct tui_facts *facts, struct tui_pen *pen)
{
	if (facts->overhead < 0)
		pen_text(pen, TUI_DIM, "  overhead n/a");
	else
		pen_format(pen, TUI_PLAIN, "  overhead %.1f%% of a CPU", 100 * facts->overhead);
}

static void draw_totals(const struct tui_model *model, struct tui_grid *grid)
{
	struct tui_pen pen = line(model, grid, 1);
	const struct tui_facts *facts = &model->facts;
	const struct view *view = model->view;
	char bytes[FORMAT_SIZE], blocks[FORMAT_SIZE], count[FORMAT_SIZE];

	if (!view) {
		pen_text(&pen, TUI_PLAIN, "reading what is outstanding ...");
		return;
	}
	pen_format(&pen, TUI_STRONG, "%s in %s blocks", format_bytes(view->bytes, bytes),
		   format_exact(view->blocks, blocks));
	pen_format(&pen, TUI_PLAIN, ", %s stacks", format_exact(view->n_stacks, count));
	if (facts->rate_label)
		pen_format(&pen, TUI_PLAIN, "  %s/s %s", format_exact((uint64_t)facts->rate, count),
			   facts->rate_label);
	draw_overhead(facts, &pen);
}

/* Bytes of stacks that are not whole. */
static uint64_t incomplete(const struct view *view)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < view->n_sums; i++)
		if (view->sums[i].reason &&
		    __builtin_add_overflow(bytes, view->sums[i].bytes, &bytes))
			return UINT64_MAX;
	return bytes;
}

static void draw_shortcomings(const struct view *view, struct tui_pen *pen)
{
	uint64_t bytes = incomplete(view);

	if (bytes)
		pen_format(pen, TUI_WARNING, "! %.1f%% of the bytes: stacks not complete",
			   100 * (double)bytes / (double)view->bytes);
	else if (strcmp(view->walk, VIEW_WALK_DWUNW) == 0)
		pen_text(pen, TUI_DIM, "all stacks are complete");
	else
		pen_format(pen, TUI_DIM, "stacks: %s", view->walk);
	if (view->estimated)
		pen_text(pen, TUI_PLAIN, "; numbers are estimates");
	if (view->min_age_ns >= 1000000000)
		pen_format(pen, TUI_PLAIN, "; only blocks older than %g s",
			   (double)view->min_age_ns / 1e9);
}

/* What is missing, and whether this is the present. */
static void draw_state(const struct tui_model *model, struct tui_grid *grid)
{
	struct tui_pen pen = line(model, grid, 2);
	const struct tui_facts *facts = &model->facts;

	if (facts->ended) {
		pen_format(&pen, TUI_WARNING, "ENDED at %s, this is the last of it", facts->ended);
		pen_text(&pen, TUI_PLAIN, "  ");
	} else if (model->paused) {
		pen_text(&pen, TUI_WARNING, "PAUSED");
		pen_text(&pen, TUI_PLAIN, "  ");
	}
	if (model->view)
		draw_shortcomings(model->view, &pen);
	if (facts->next_s > 0 && !facts->ended && !model->paused)
		pen_format(&pen, TUI_PLAIN, "; the next in %.0f s: r", facts->next_s);
	if (facts->n_notes)
		pen_format(&pen, TUI_PLAIN, "; %zu message%s: m", facts->n_notes,
			   facts->n_notes == 1 ? "" : "s");
}

static uint64_t bytes_of_order(const struct tui_model *model)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < model->n_order; i++)
		if (__builtin_add_overflow(bytes, model->view->stacks[model->order[i]].bytes,
					   &bytes))
			return UINT64_MAX;
	return bytes;
}

static void draw_filter(const struct tui_model *model, struct tui_pen *pen)
{
	char bytes[FORMAT_SIZE];

	pen_text(pen, TUI_KEY, "/");
	pen_text(pen, TUI_STRONG, model->filter);
	if (model->typing)
		pen_symbol(pen, TUI_KEY, ' ', '_');
	if (model->view)
		pen_format(pen, TUI_PLAIN, "  %zu of %zu stacks, %s", model->n_order,
			   model->view->n_stacks, format_bytes(bytes_of_order(model), bytes));
	pen_text(pen, TUI_DIM, model->typing ? "  (Enter: keep, Esc: all)  " : "  (Esc: all)  ");
}

static void draw_status(const struct tui_model *model, struct tui_grid *grid)
{
	struct tui_pen pen = line(model, grid, model_layout(model).status_row);

	if (model->typing || model->filter[0])
		draw_filter(model, &pen);
	pen_text(&pen, TUI_STRONG, model->status);
}

static void draw_footer(const struct tui_model *model, struct tui_grid *grid)
{
	static const struct {
		const char *key, *does;
	} list[] = {{"s", "Sort"},  {"/", "Search"},   {"Enter", "Unfold"}, {"p", "Pause"},
		    {"w", "Write"}, {"m", "Messages"}, {"?", "Help"},	    {"q", "Quit"}},
	  page[] = {{"Esc", "Back"},
		    {"arrows", "Scroll"},
		    {"p", "Pause"},
		    {"w", "Write"},
		    {"q", "Quit"}};
	struct tui_pen pen = line(model, grid, model_layout(model).footer_row);
	bool is_list = model->page == TUI_PAGE_LIST;
	size_t n = is_list ? sizeof(list) / sizeof(list[0]) : sizeof(page) / sizeof(page[0]);

	for (size_t i = 0; i < n; i++) {
		pen_text(&pen, TUI_KEY, is_list ? list[i].key : page[i].key);
		pen_format(&pen, TUI_PLAIN, " %s  ", is_list ? list[i].does : page[i].does);
	}
}

void model_draw(const struct tui_model *model, struct tui_grid *grid)
{
	if (!model_fits(model)) {
		struct tui_pen pen = line(model, grid, 0);

		pen_text(&pen, TUI_PLAIN, "too small");
		pen = line(model, grid, 1);
		pen_format(&pen, TUI_PLAIN, "needs %dx%d", TUI_MIN_COLS, TUI_MIN_ROWS);
		return;
	}
	draw_who(model, grid);
	draw_totals(model, grid);
	draw_state(model, grid);
	if (model->page == TUI_PAGE_LIST) {
		draw_list(model, grid);
		draw_pane(model, grid);
	} else {
		draw_page(model, grid);
	}
	draw_status(model, grid);
	draw_footer(model, grid);
}
