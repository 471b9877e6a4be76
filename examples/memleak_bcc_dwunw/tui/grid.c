/* SPDX-License-Identifier: BSD-2-Clause */
#include "tui/grid.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "names.h"

#define ELLIPSIS 0x2026

int grid_create(size_t rows, size_t cols, bool utf8, struct tui_grid *ret)
{
	struct tui_cell *cells = calloc(rows * cols + 1, sizeof(*cells));

	if (!cells)
		return -ENOMEM;
	for (size_t i = 0; i < rows * cols; i++)
		cells[i].code = ' ';
	*ret = (struct tui_grid){.rows = rows, .cols = cols, .utf8 = utf8, .cells = cells};
	return 0;
}

void grid_free(struct tui_grid *grid)
{
	free(grid->cells);
	*grid = (struct tui_grid){};
}

void grid_select_row(struct tui_grid *grid, size_t row)
{
	for (size_t col = 0; row < grid->rows && col < grid->cols; col++)
		grid->cells[row * grid->cols + col].selected = true;
}

struct tui_pen pen_at(struct tui_grid *grid, size_t row, size_t col, size_t end)
{
	if (end > grid->cols)
		end = grid->cols;
	if (row >= grid->rows)
		end = 0;
	return (struct tui_pen){.grid = grid, .row = row, .col = col, .end = end};
}

static struct tui_cell *cell_at(const struct tui_pen *pen, size_t col)
{
	return &pen->grid->cells[pen->row * pen->grid->cols + col];
}

/* The last cell says that more would follow. */
static void cut(struct tui_pen *pen)
{
	struct tui_cell *last;

	pen->cut = true;
	if (pen->end == 0 || pen->col == 0)
		return;
	last = cell_at(pen, pen->end - 1);
	if (last->code == 0 && pen->end > 1)
		cell_at(pen, pen->end - 2)->code = ' ';
	last->code = pen->grid->utf8 ? ELLIPSIS : '~';
	last->role = TUI_DIM;
	pen->col = pen->end;
}

static void put(struct tui_pen *pen, enum tui_role role, uint32_t code, size_t width)
{
	if (pen->cut)
		return;
	if (pen->skip) { /* half of a wide character is a blank */
		size_t skipped = pen->skip < width ? pen->skip : width;

		pen->skip -= skipped;
		width -= skipped;
		code = ' ';
		if (!width)
			return;
	}
	if (pen->col + width > pen->end) {
		cut(pen);
		return;
	}
	for (size_t i = 0; i < width; i++)
		*cell_at(pen, pen->col++) =
			(struct tui_cell){.code = i ? 0 : code, .role = (uint8_t)role};
}

/* How many columns a character takes; 0: it is to be shown as the bytes it is made of. */
static size_t width_of(bool utf8, uint32_t code)
{
	int width = utf8 ? wcwidth((wchar_t)code) : 0;

	return width > 0 ? (size_t)width : 0;
}

/* One character, or a byte that has to be shown as \xNN. Returns its length in bytes. */
static size_t next(bool utf8, const unsigned char *s, size_t left, uint32_t *code, size_t *width)
{
	size_t length;

	*width = 1;
	*code = *s;
	if (*s >= 0x20 && *s < 0x7f)
		return 1;
	length = *s >= 0x80 ? utf8_decode(s, left, code) : 0;
	*width = length ? width_of(utf8, *code) : 0;
	return *width ? length : 1;
}

static void put_escape(struct tui_pen *pen, enum tui_role role, unsigned char byte)
{
	char text[5];

	snprintf(text, sizeof(text), "\\x%02x", byte);
	for (const char *c = text; *c; c++)
		put(pen, role, (unsigned char)*c, 1);
}

size_t grid_width(bool utf8, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t left = strlen(text), columns = 0;

	while (left) {
		uint32_t code;
		size_t width, length = next(utf8, s, left, &code, &width);

		columns += width ? width : strlen("\\x00");
		s += length;
		left -= length;
	}
	return columns;
}

void pen_text(struct tui_pen *pen, enum tui_role role, const char *text)
{
	const char *match = pen->match && pen->match[0] ? pen->match : NULL;
	const char *found = match ? strcasestr(text, match) : NULL;
	size_t left = strlen(text);

	while (left && !pen->cut) {
		uint32_t code;
		size_t width;
		bool marked = found && text >= found;
		enum tui_role shown = marked ? TUI_MATCH : role;
		size_t length =
			next(pen->grid->utf8, (const unsigned char *)text, left, &code, &width);

		if (width)
			put(pen, shown, code, width);
		else
			put_escape(pen, shown, (unsigned char)*text);
		text += length;
		left -= length;
		if (marked && text >= found + strlen(match))
			found = strcasestr(text, match);
	}
}

void pen_format(struct tui_pen *pen, enum tui_role role, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	pen_text(pen, role, text);
}

void pen_right(struct tui_pen *pen, enum tui_role role, size_t col, const char *text)
{
	size_t width = grid_width(pen->grid->utf8, text);

	while (pen->col + width < col && pen->col < pen->end)
		put(pen, role, ' ', 1);
	pen_text(pen, role, text);
}

void pen_fill(struct tui_pen *pen, enum tui_role role)
{
	while (pen->col < pen->end)
		*cell_at(pen, pen->col++) = (struct tui_cell){.code = ' ', .role = (uint8_t)role};
}

void pen_symbol(struct tui_pen *pen, enum tui_role role, uint32_t code, char ascii)
{
	put(pen, role, pen->grid->utf8 ? code : (unsigned char)ascii, 1);
}
