/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A screen as an array of cells, which text is written into: cut where it does not fit, wide characters in two cells, and what a terminal
 * might obey, or what has no width of its own, as \xNN. Pure: no terminal; the locale only says how wide characters are. One thread at a
 * time.
 */
#ifndef TUI_GRID_H
#define TUI_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a cell is there for; how that looks is the terminal's (screen.c). No meaning hangs on a colour alone. */
enum tui_role {
	TUI_PLAIN,
	TUI_STRONG,
	TUI_DIM,
	TUI_HEADING, /* of columns and panes */
	TUI_BAR,
	TUI_WARNING,
	TUI_MATCH, /* what was searched for */
	TUI_KEY,
	TUI_N_ROLES,
};

struct tui_cell {
	uint32_t code; /* Unicode; 0: the second half of the wide character before it */
	uint8_t role;
	bool selected; /* besides its role */
};

struct tui_grid {
	size_t rows, cols;
	bool utf8; /* else ASCII is all that is written */
	struct tui_cell *cells;
};

/* All blank. -ENOMEM. */
int grid_create(size_t rows, size_t cols, bool utf8, struct tui_grid *ret);
void grid_free(struct tui_grid *grid);
void grid_select_row(struct tui_grid *grid, size_t row);

/* Writes from left to right in one row. What would be at or past column `end` is cut, which the last cell then shows. */
struct tui_pen {
	struct tui_grid *grid;
	size_t row, col, end;
	size_t skip; /* columns of text that are left out first: it is shifted to the left */
	enum tui_role role;
	const char *match; /* what is marked in texts, case of ASCII letters aside; NULL: nothing */
	bool cut;	   /* something was */
};

/* A row outside the grid takes nothing. */
struct tui_pen pen_at(struct tui_grid *grid, size_t row, size_t col, size_t end);
void pen_text(struct tui_pen *pen, enum tui_role role, const char *text);
/* At most 512 bytes. */
void pen_format(struct tui_pen *pen, enum tui_role role, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The text, with blanks before it, ends at `col`. */
void pen_right(struct tui_pen *pen, enum tui_role role, size_t col, const char *text);
/* Blanks up to the end. */
void pen_fill(struct tui_pen *pen, enum tui_role role);
/* One character that is known to be harmless; `ascii` where the grid is not UTF-8. */
void pen_symbol(struct tui_pen *pen, enum tui_role role, uint32_t code, char ascii);

/* How many columns the text takes. */
size_t grid_width(bool utf8, const char *text);

#endif
