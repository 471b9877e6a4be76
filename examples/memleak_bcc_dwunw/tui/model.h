/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The terminal program without a terminal: what is shown of a view, what keys change about that, and how it looks as cells. Pure: no
 * kernel, no clock, no terminal. One thread at a time.
 */
#ifndef TUI_MODEL_H
#define TUI_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tui/grid.h"

struct view;

/* Less than this is not drawn in. */
#define TUI_MIN_ROWS 12
#define TUI_MIN_COLS 40

#define TUI_FILTER_SIZE 128
#define TUI_STATUS_SIZE 512

/* Keys that are no characters; characters are their Unicode number, control characters among them. */
enum tui_key {
	TUI_KEY_UP = 0x110000,
	TUI_KEY_DOWN,
	TUI_KEY_LEFT,
	TUI_KEY_RIGHT,
	TUI_KEY_PAGE_UP,
	TUI_KEY_PAGE_DOWN,
	TUI_KEY_HOME,
	TUI_KEY_END,
	TUI_KEY_ENTER,
	TUI_KEY_BACKSPACE,
	TUI_KEY_ESCAPE,
};

/* What a key asks for that the model alone cannot do. */
enum tui_action {
	TUI_NOTHING,
	TUI_QUIT,
	TUI_WRITE,   /* files of what is shown */
	TUI_REFRESH, /* new data now */
	TUI_REDRAW,  /* something else has written on the terminal */
};

enum tui_sort { TUI_SORT_SIZE, TUI_SORT_COUNT, TUI_SORT_AGE, TUI_SORT_GROWTH, TUI_N_SORTS };

enum tui_page {
	TUI_PAGE_LIST,
	TUI_PAGE_STACK, /* the selected one alone */
	TUI_PAGE_MESSAGES,
	TUI_PAGE_HELP,
};

/* What is shown besides the view; strings are borrowed. */
struct tui_facts {
	const char *memory_label; /* "RSS"; NULL: the next is not known */
	uint64_t memory;	  /* bytes */
	const char *rate_label;	  /* "recorded"; NULL: the next is not known */
	double rate;		  /* events a second */
	double overhead;	  /* share of a CPU, 0.01: 1 %; below 0: not known */
	double growth_s; /* growth in the view is since so many seconds; 0: it is the first */
	double next_s; /* reports take so long that the next one is as far away; 0: it comes when it is due */
	const char *ended; /* the targets have: when; NULL: no */
	const char *const *notes;
	size_t n_notes;
};

struct tui_model {
	const struct view *view; /* borrowed; NULL: there was none yet */
	struct tui_facts facts;
	size_t rows, cols;
	bool utf8;
	enum tui_page page;
	enum tui_sort sort;
	bool paused;
	/* Stacks of the view that the filter lets through, by their numbers there, in the order of `sort`. */
	uint32_t *order;
	size_t n_order;
	size_t cursor, top; /* places in `order`: the selected one, and the first that is shown */
	bool follows;	    /* the cursor stays on its stack; else at its place */
	uint32_t pid;	    /* which that is */
	uint64_t identity;
	size_t outward;	      /* functions of each stack that the list leaves out first */
	size_t scroll, shift; /* rows and columns left out of the other pages */
	bool typing;	      /* the filter is being typed */
	char filter[TUI_FILTER_SIZE];
	char status[TUI_STATUS_SIZE]; /* a line for the user; "": none */
};

void model_init(struct tui_model *model, bool utf8);
void model_free(struct tui_model *model);
void model_resize(struct tui_model *model, size_t rows, size_t cols);
/* Another view, or new names in the same one. -ENOMEM: it is shown as if there was no stack. */
int model_take(struct tui_model *model, const struct view *view);
/* -ENOMEM as above. */
int model_key(struct tui_model *model, int key, enum tui_action *ret);

/* Whether the stacks that are shown depend on the names of all. */
bool model_needs_all_names(const struct tui_model *model);
/* The numbers in the view of the stacks whose names are shown: at most `max`. Returns how many. */
size_t model_shown(const struct tui_model *model, uint32_t *ret, size_t max);
/* The selected one's number in the view; -ENOENT: there is none. */
int model_selected(const struct tui_model *model, uint32_t *ret);

/* Rows of the list, and of the pane below it with its heading; 0 rows of a pane: there is no room. */
struct tui_layout {
	size_t list_row, n_list;
	size_t pane_row, n_pane;
	size_t status_row, footer_row;
};
struct tui_layout model_layout(const struct tui_model *model);
bool model_fits(const struct tui_model *model);

/* Draws all of it; the grid is of model->rows x model->cols. */
void model_draw(const struct tui_model *model, struct tui_grid *grid);

#endif
