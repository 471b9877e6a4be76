/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves of the terminal program, without a terminal: what it shows of a view and in which order, at 80x24, 200x60 and other sizes; that no size, no
 * number of stacks (0, 10,000) and no name, whatever bytes it is made of, leads out of the screen or into it as a control character; that
 * wide characters keep columns in line; and what each key does.
 */
#include "tui/model.h"

#include <inttypes.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "../test.h"
#include "output/view.h"
#include "tui/format.h"
#include "tui/model_internal.h"

#define HOSTILE                                                                                    \
	"\033[2J\033]0;owned\a\r\n\t\x7f\x01\xc2\x9b"                                              \
	"31m\xff\xfe\xe2\x80\xae\xcc\x81<script>%s%n"
#define WIDE "\xe6\xb3\x84\xe6\xbc\x8f" /* two characters, four columns */

static struct view_process processes[] = {{1234, "served"}, {77, "other"}};
static struct view_module modules[] = {{.path = "/srv/bin/served"}, {.path = "/lib/libc.so.6"}};
static const struct view_frame three[] = {
	{.function = "get", .file = "get.h", .line = 3, .module = 0, .pc = 0x10, .inlined = true},
	{.function = "leaf", .file = "leaf.c", .line = 12, .module = 0, .pc = 0x10, .offset = 5},
	{.function = "main", .module = 0, .pc = 0x20},
	{.module = 1, .pc = 0x30, .by_frame_pointer = true},
};
static const struct view_frame hostile[] = {
	{.function = HOSTILE, .file = HOSTILE, .line = 1, .module = VIEW_NO_MODULE, .pc = 1},
};
static const struct view_frame wide[] = {
	{.function = WIDE "(int)", .module = VIEW_NO_MODULE, .pc = 1},
	{.module = VIEW_NO_MODULE, .pc = 0xabc},
};
static const uint64_t history[] = {0, 1, 3 << 19, 3 << 20};
static struct view_stack stacks[] = {
	{.identity = 1,
	 .pid = 1234,
	 .tid = 1235,
	 .comm = "served",
	 .bytes = 3 << 20,
	 .blocks = 3,
	 .oldest_ns = 10000000000,
	 .growth_bytes = 1 << 20,
	 .history = history,
	 .n_history = 4,
	 .frames = three,
	 .n_frames = 4},
	{.identity = 2,
	 .pid = 1234,
	 .comm = HOSTILE,
	 .bytes = 2 << 20,
	 .blocks = 50,
	 .oldest_ns = 4000000000000,
	 .growth_bytes = -5000,
	 .frames = hostile,
	 .n_frames = 1},
	{.identity = 3,
	 .pid = 77,
	 .comm = "other",
	 .bytes = 1 << 20,
	 .blocks = 7,
	 .oldest_ns = 1000000000,
	 .growth_bytes = 2 << 20,
	 .frames = wide,
	 .n_frames = 2,
	 .stop = "no table"},
	{.identity = 4, .pid = 77, .comm = "other", .bytes = 9, .blocks = 1, .stop = "depth"},
};
static struct view_sum sums[] = {{NULL, 5 << 20, 53}, {"no table", 1 << 20, 7}};
static struct view view = {
	.walk = VIEW_WALK_DWUNW,
	.elapsed_ns = 65000000000,
	.bytes = 6 << 20,
	.blocks = 61,
	.processes = processes,
	.n_processes = 1,
	.modules = modules,
	.n_modules = 2,
	.sums = sums,
	.n_sums = 2,
	.stacks = stacks,
	.n_stacks = 4,
};

/* A row as text: wide characters and others than ASCII as UTF-8, without the blanks at its end. */
static const char *row_text(const struct tui_grid *grid, size_t row)
{
	static char text[4096];
	size_t n = 0;

	for (size_t col = 0; col < grid->cols; col++) {
		uint32_t code = grid->cells[row * grid->cols + col].code;

		if (code >= 0x800) {
			text[n++] = (char)(0xe0 | code >> 12);
			text[n++] = (char)(0x80 | (code >> 6 & 0x3f));
			text[n++] = (char)(0x80 | (code & 0x3f));
		} else if (code) {
			text[n++] = (char)code;
		}
	}
	while (n && text[n - 1] == ' ')
		n--;
	text[n] = '\0';
	return text;
}

static bool shows(const struct tui_grid *grid, const char *what)
{
	for (size_t row = 0; row < grid->rows; row++)
		if (strstr(row_text(grid, row), what))
			return true;
	printf("not shown: %s\n", what);
	for (size_t row = 0; row < grid->rows; row++)
		printf("|%s\n", row_text(grid, row));
	return false;
}

/* Nothing but printable characters, wide ones whole. */
static bool is_harmless(const struct tui_grid *grid)
{
	for (size_t i = 0; i < grid->rows * grid->cols; i++) {
		uint32_t code = grid->cells[i].code;

		if (code == 0 && (i % grid->cols == 0 || grid->cells[i - 1].code < 0x1100))
			return false;
		if ((code > 0 && code < 0x20) || (code >= 0x7f && code < 0xa0))
			return false;
		if (!grid->utf8 && code >= 0x7f)
			return false;
	}
	return true;
}

static void make(struct tui_model *model, bool utf8, size_t rows, size_t cols)
{
	model_init(model, utf8);
	model_resize(model, rows, cols);
	CHECK(model_take(model, &view) == 0);
}

static struct tui_grid draw(const struct tui_model *model)
{
	struct tui_grid grid = {};

	CHECK(grid_create(model->rows, model->cols, model->utf8, &grid) == 0);
	model_draw(model, &grid);
	CHECK(is_harmless(&grid));
	return grid;
}

static bool draws(const struct tui_model *model, const char *what)
{
	struct tui_grid grid = draw(model);
	bool ret = shows(&grid, what);

	grid_free(&grid);
	return ret;
}

/* Columns in which the first stack's functions begin. */
static void test_picture(void)
{
	struct tui_model model;
	struct tui_grid grid;

	make(&model, true, 24, 80);
	model.facts = (struct tui_facts){.memory_label = "RSS",
					 .memory = 5 << 20,
					 .rate_label = "recorded",
					 .rate = 1234,
					 .overhead = 0.025,
					 .growth_s = 30,
					 .n_notes = 0};
	grid = draw(&model);
	CHECK(strcmp(row_text(&grid, 0), "memleak_dwunw_user 1234 served                         "
					 "RSS 5.0 MiB  traced 1m05s") == 0);
	CHECK(shows(&grid,
		    "6.0 MiB in 61 blocks, 4 stacks  1,234/s recorded  overhead 2.5% of a CPU"));
	CHECK(shows(&grid, "! 16.7% of the bytes: stacks not complete"));
	CHECK(strcmp(row_text(&grid, 4), "  3.0 MiB ██████      3    10s   +2.0 MiB  get < leaf < "
					 "main < [libc.so.6]") == 0);
	/* the heading is right above, and the pane below has all lines */
	CHECK(strcmp(row_text(&grid, 3), "     SIZE         COUNT    AGE GROWTH/MIN  STACK, "
					 "innermost function first") == 0);
	CHECK(shows(&grid,
		    " 1/4: 3.0 MiB in 3 blocks, oldest 10s  first seen in thread 1235 served"));
	CHECK(shows(&grid, "     get  get.h:3  (inlined)"));
	CHECK(shows(&grid, "   0 leaf  leaf.c:12  [served]"));
	CHECK(shows(&grid, "   2 0x30  (by frame pointer)  [libc.so.6]"));
	CHECK(shows(
		&grid,
		"s Sort  / Search  Enter Unfold  p Pause  w Write  m Messages  ? Help  q Quit"));
	CHECK(grid.cells[4 * 80].selected && !grid.cells[5 * 80].selected);
	grid_free(&grid);

	model.facts.next_s = 18;
	CHECK(draws(&model, "not complete; the next in 18 s: r"));
	model.facts.overhead = -1;
	model.facts.growth_s = 0;
	model.facts.ended = "12:34:56";
	CHECK(draws(&model, "overhead n/a") && draws(&model, "ENDED at 12:34:56"));
	CHECK(draws(&model, "10s          -  get <")); /* the first report tells no growth */
	model_free(&model);

	model_init(&model, true);
	model_resize(&model, 24, 80);
	CHECK(draws(&model, "reading what is outstanding"));
	model_free(&model);
}

static void test_large(void)
{
	struct tui_model model;

	view.n_processes = 2;
	make(&model, true, 60, 200);
	CHECK(draws(&model, "SHARE") && draws(&model, "50.0%"));
	CHECK(draws(&model, "1234 served, 77 other"));
	CHECK(draws(&model, " 77  " WIDE)); /* its pid is a column */
	CHECK(draws(&model, " ▁▅█ "));	    /* 0 bytes: a blank */
	view.n_processes = 1;
	model_free(&model);
}

/* Names are shown, escaped: each byte that is not a character of its own. */
static void test_hostile(void)
{
	struct tui_model model;

	make(&model, true, 24, 240);
	CHECK(draws(&model, "\\x1b[2J\\x1b]0;"
			    "owned\\x07\\x0d\\x0a\\x09\\x7f\\x01\\xc2\\x9b31m\\xff\\xfe\\xe2\\x80\\"
			    "xae\\xcc\\x81"));
	model_free(&model);
	make(&model, false, 24, 200);
	CHECK(draws(&model, "\\xe6\\xb3\\x84\\xe6\\xbc\\x8f"));
	CHECK(draws(&model, "######"));
	model_free(&model);
}

/* A character of two columns is drawn in two cells, or not at all. */
static void test_wide(void)
{
	struct tui_grid grid;
	struct tui_pen pen;

	CHECK(grid_create(1, 8, true, &grid) == 0);
	pen = pen_at(&grid, 0, 0, 8);
	pen_text(&pen, TUI_PLAIN, WIDE);
	pen_text(&pen, TUI_PLAIN, "x");
	CHECK(pen.col == 5 && grid.cells[0].code == 0x6cc4 && grid.cells[1].code == 0 &&
	      grid.cells[4].code == 'x');
	pen = pen_at(&grid, 0, 0, 4);
	pen_text(&pen, TUI_PLAIN, WIDE WIDE);
	CHECK(strcmp(row_text(&grid, 0), "\xe6\xb3\x84 \xe2\x80\xa6x") ==
	      0); /* cut in the middle of one */
	CHECK(is_harmless(&grid));
	pen = pen_at(&grid, 0, 0, 4);
	pen_text(&pen, TUI_PLAIN, "abcdefgh");
	CHECK(strcmp(row_text(&grid, 0), "abc\xe2\x80\xa6x") == 0 &&
	      pen.cut); /* nothing behind its end */
	pen = pen_at(&grid, 0, 0, 8);
	pen.skip = 1; /* half of one */
	pen_text(&pen, TUI_PLAIN, WIDE "ab");
	CHECK(grid.cells[0].code == ' ' && grid.cells[1].code == 0x6f0f &&
	      grid.cells[3].code == 'a');
	CHECK(grid_width(true, WIDE "\033") == 8 && grid_width(false, "\xc3\xa4") == 8);
	grid_free(&grid);
}

static void test_match(void)
{
	struct tui_grid grid;
	struct tui_pen pen;

	CHECK(grid_create(1, 20, true, &grid) == 0);
	pen = pen_at(&grid, 0, 0, 20);
	pen.match = "ab";
	pen_text(&pen, TUI_PLAIN, "xABxabab");
	for (size_t i = 0; i < 8; i++)
		CHECK((grid.cells[i].role == TUI_MATCH) == (i != 0 && i != 3));
	grid_free(&grid);
}

/* Every size: nothing outside, and a word where there is no room. */
static void test_sizes(void)
{
	static const size_t sizes[][2] = {{0, 0},   {1, 1},   {1, 200}, {60, 1},   {5, 20},
					  {11, 80}, {24, 39}, {12, 40}, {13, 41},  {17, 60},
					  {18, 59}, {24, 80}, {25, 99}, {60, 100}, {200, 500}};
	struct tui_model model;
	enum tui_action action;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		make(&model, i % 2, sizes[i][0], sizes[i][1]);
		for (const char *keys = "\nm?s/x\n"; *keys; keys++) {
			struct tui_grid grid = draw(&model);

			grid_free(&grid);
			CHECK(model_key(&model, *keys, &action) == 0);
			CHECK(model_key(&model, TUI_KEY_PAGE_DOWN, &action) == 0);
		}
		model_free(&model);
	}
	make(&model, true, 24, 39);
	CHECK(draws(&model, "too small") && draws(&model, "needs 40x12"));
	model_free(&model);
}

static uint64_t selected(const struct tui_model *model)
{
	uint32_t number;

	return model_selected(model, &number) ? 0 : model->view->stacks[number].identity;
}

static void press(struct tui_model *model, int key)
{
	enum tui_action action;

	CHECK(model_key(model, key, &action) == 0 && action == TUI_NOTHING);
}

static void type(struct tui_model *model, const char *text)
{
	while (*text)
		press(model, *text++);
}

static void test_sort(void)
{
	static const uint64_t first[] = {2, 2, 3, 1}; /* by count, age, growth, size */
	struct tui_model model;

	make(&model, true, 24, 80);
	CHECK(selected(&model) == 1);
	for (size_t i = 0; i < 4; i++) {
		press(&model, 's');
		CHECK(selected(&model) == first[i]);
	}
	CHECK(model.n_order == 4);
	view.no_ages = true;
	press(&model, 's');
	press(&model, 's');
	CHECK(model.sort == TUI_SORT_GROWTH); /* there is no age to sort by */
	view.no_ages = false;
	model_free(&model);
}

/* Functions of a program without names are told apart, and its file is named once. */
static void test_nameless(void)
{
	static struct view_module mapped[] = {
		{.path = "/srv/bin/a+b", .start = 0x1000, .end = 0x3000, .file_off = 0x200},
		{.path = "/lib/libstdc++.so.6"}};
	static const struct view_frame frames[] = {{.module = 0, .pc = 0x1010},
						   {.module = 0, .pc = 0x2020},
						   {.module = 1, .pc = 0x30},
						   {.module = 1, .pc = 0x40}};
	struct view_stack stripped = stacks[0];
	struct view other = view;
	struct tui_model model;

	make(&model, true, 24, 110);
	stripped.frames = frames;
	stripped.n_frames = 4;
	other.modules = mapped;
	other.stacks = &stripped;
	other.n_stacks = 1;
	CHECK(model_take(&model, &other) == 0);
	CHECK(draws(&model, "  [a+b+0x210] < [+0x1220] < [libstdc++.so.6] < [libst"));
	press(&model, TUI_KEY_RIGHT);
	CHECK(draws(&model, " < [a+b+0x1220] < [libstdc++.so.6] < [libstdc++.so.6]"));
	model_free(&model);
}

/* Why a stack ends is in the pane, or the pane says that there are more lines. */
static void test_incomplete(void)
{
	struct view_frame frames[16];
	struct view_stack cut = stacks[0];
	struct view other = view;

	cut.stop = "no table";
	other.stacks = &cut;
	other.n_stacks = 1;
	cut.frames = frames;
	for (size_t i = 0; i < 16; i++)
		frames[i] = three[1];
	for (cut.n_frames = 0; cut.n_frames <= 16; cut.n_frames++) {
		struct tui_model model;

		make(&model, true, 24, 80);
		CHECK(model_take(&model, &other) == 0);
		CHECK(draws(&model, cut.n_frames < model_layout(&model).n_pane - 1
					    ? "! incomplete: no table"
					    : " more lines: Enter"));
		model_free(&model);
	}
}

static void test_cursor(void)
{
	struct view other = view;
	struct view_stack moved[4];
	struct tui_model model;

	make(&model, true, 24, 80);
	press(&model, TUI_KEY_DOWN);
	CHECK(selected(&model) == 2);
	press(&model, 'k');
	press(&model, 'j');
	memcpy(moved, stacks, sizeof(moved));
	moved[0] = stacks[1]; /* it moves to another place */
	moved[1] = stacks[0];
	moved[0].bytes = 100 << 20;
	other.stacks = moved;
	CHECK(model_take(&model, &other) == 0);
	CHECK(selected(&model) == 2 && model.cursor == 0); /* the cursor with it */
	press(&model, TUI_KEY_END);
	CHECK(selected(&model) == 4);
	other.n_stacks = 2; /* it is gone */
	CHECK(model_take(&model, &other) == 0);
	CHECK(model.cursor == 1);
	press(&model, TUI_KEY_HOME);
	CHECK(model_take(&model, &view) == 0);
	CHECK(selected(&model) == 1); /* the first, whichever it is */
	press(&model, TUI_KEY_UP);
	press(&model, TUI_KEY_PAGE_UP);
	CHECK(model.cursor == 0);
	press(&model, TUI_KEY_RIGHT);
	CHECK(draws(&model, "-   < leaf < main") && draws(&model, "-   < 0xabc"));
	for (int i = 0; i < 100; i++)
		press(&model, TUI_KEY_RIGHT);
	CHECK(draws(&model, "-   < [libc.so.6]"));
	for (int i = 0; i < 100; i++)
		press(&model, TUI_KEY_LEFT);
	CHECK(draws(&model, "-  get < leaf"));
	press(&model, TUI_KEY_PAGE_DOWN);
	CHECK(model.cursor == 3);
	other.n_stacks = 0;
	CHECK(model_take(&model, &other) == 0);
	CHECK(model.n_order == 0 && draws(&model, "nothing is outstanding"));
	for (int key = TUI_KEY_UP; key <= TUI_KEY_ESCAPE; key++)
		press(&model, key);
	model_free(&model);
}

static void test_filter(void)
{
	struct tui_model model;

	make(&model, true, 24, 80);
	CHECK(!model_needs_all_names(&model));
	press(&model, '/');
	CHECK(model_needs_all_names(&model));
	type(&model, "LEAFq");
	CHECK(model.n_order == 0 && draws(&model, "no stack has that in it"));
	press(&model, 0x7f);
	CHECK(model.n_order == 1 && selected(&model) == 1); /* q was a letter */
	CHECK(draws(&model, "/LEAF   1 of 4 stacks, 3.0 MiB  (Enter: keep, Esc: all)"));
	press(&model, TUI_KEY_ENTER);
	CHECK(!model.typing && draws(&model, "/LEAF  1 of 4 stacks, 3.0 MiB"));
	CHECK(model_take(&model, &view) == 0 && model.n_order == 1); /* it stays */
	press(&model, TUI_KEY_ESCAPE);
	CHECK(model.n_order == 4 && !model_needs_all_names(&model));
	press(&model, '/');
	type(&model, "LIBC.so"); /* a module */
	CHECK(model.n_order == 1);
	press(&model, 'U' - '@');
	type(&model, "get.h"); /* a source file */
	CHECK(model.n_order == 1);
	press(&model, 'U' - '@');
	type(&model, "other"); /* a command */
	CHECK(model.n_order == 2);
	press(&model, 'U' - '@');
	press(&model, 0x6cc4);
	CHECK(model.n_order == 1 && strlen(model.filter) == 3);
	press(&model, TUI_KEY_BACKSPACE);
	CHECK(model.n_order == 4 && model.filter[0] == '\0');
	for (int i = 0; i < 1000; i++)
		press(&model, 0x10ffff);
	CHECK(strlen(model.filter) < sizeof(model.filter));
	press(&model, TUI_KEY_ESCAPE);
	CHECK(!model.typing);
	model_free(&model);
}

/* The stack that is shown alone goes: no other one is shown as if it was that. */
static void test_gone(void)
{
	struct view other = view;
	struct tui_model model;

	make(&model, true, 24, 80);
	press(&model, TUI_KEY_DOWN);
	press(&model, TUI_KEY_ENTER);
	CHECK(model_take(&model, &view) == 0 && model.page == TUI_PAGE_STACK);
	other.n_stacks = 1;
	CHECK(model_take(&model, &other) == 0 && model.page == TUI_PAGE_LIST);
	CHECK(draws(&model, "of that stack nothing is outstanding any more"));
	model_free(&model);
}

static void test_pages(void)
{
	static const char *const notes[] = {"1 lost", HOSTILE};
	enum tui_action action;
	struct tui_model model;

	make(&model, true, 24, 80);
	model.facts.notes = notes;
	model.facts.n_notes = 2;
	CHECK(draws(&model, "2 messages: m"));
	press(&model, '\n');
	CHECK(model.page == TUI_PAGE_STACK &&
	      draws(&model, "   0 leaf+0x5  leaf.c:12  [/srv/bin/served]"));
	press(&model, TUI_KEY_RIGHT);
	CHECK(model.shift > 0);
	press(&model, TUI_KEY_DOWN);
	CHECK(model.scroll == 0); /* all of it is there */
	press(&model, '\r');
	CHECK(model.page == TUI_PAGE_LIST);
	press(&model, 'm');
	CHECK(model.page == TUI_PAGE_MESSAGES && draws(&model, "1 lost") &&
	      draws(&model, "\\x1b[2J"));
	press(&model, 'm');
	press(&model, '?');
	CHECK(model.page == TUI_PAGE_HELP && draws(&model, "Ctrl-L"));
	press(&model, TUI_KEY_END);
	CHECK(model.scroll > 0 && draws(&model, "--max-overhead"));
	press(&model, TUI_KEY_ESCAPE);
	CHECK(model.page == TUI_PAGE_LIST && model.scroll == 0);
	press(&model, 'p');
	CHECK(model.paused && draws(&model, "PAUSED"));
	press(&model, 'p');
	CHECK(!model.paused);
	CHECK(model_key(&model, 'q', &action) == 0 && action == TUI_QUIT);
	CHECK(model_key(&model, 'w', &action) == 0 && action == TUI_WRITE);
	CHECK(model_key(&model, 'r', &action) == 0 && action == TUI_REFRESH);
	CHECK(model_key(&model, 'L' - '@', &action) == 0 && action == TUI_REDRAW);
	model_free(&model);
}

/* 10,000 stacks: the whole way down, and the last ones are reached. */
static void test_many(void)
{
	enum { N = 10000 };
	struct view_stack *many = calloc(N, sizeof(*many));
	struct view all = view;
	struct tui_model model;
	uint32_t shown[100];

	for (size_t i = 0; many && i < N; i++) {
		many[i] = stacks[i % 4];
		many[i].identity = i + 1;
		many[i].bytes = N - i;
	}
	all.stacks = many;
	all.n_stacks = many ? N : 0;
	model_init(&model, true);
	model_resize(&model, 24, 80);
	CHECK(model_take(&model, &all) == 0);
	for (size_t i = 1; i < N; i++) {
		press(&model, TUI_KEY_DOWN);
		if (selected(&model) != i + 1 || model.cursor < model.top ||
		    model.cursor - model.top >= model_layout(&model).n_list)
			break;
	}
	CHECK(selected(&model) == N);
	CHECK(model_shown(&model, shown, 100) == model_layout(&model).n_list);
	CHECK(shown[model_layout(&model).n_list - 1] == N - 1);
	CHECK(model_shown(&model, shown, 3) == 3);
	CHECK(draws(&model, " 10000/10000: "));
	model_resize(&model, 60, 200);
	CHECK(model_shown(&model, shown, 100) == model_layout(&model).n_list &&
	      selected(&model) == N);
	model_free(&model);
	free(many);
}

static void test_format(void)
{
	char text[FORMAT_SIZE];

	CHECK(strcmp(format_bytes(0, text), "0 B") == 0);
	CHECK(strcmp(format_bytes(999, text), "999 B") == 0);
	CHECK(strcmp(format_bytes(1023, text), "1.0 KiB") == 0);
	CHECK(strcmp(format_bytes(102298, text), "99.9 KiB") == 0);
	CHECK(strcmp(format_bytes(UINT64_MAX, text), "16.0 EiB") == 0);
	CHECK(strcmp(format_growth(-1536, text), "-1.5 KiB") == 0);
	CHECK(strcmp(format_growth(0, text), "0 B") == 0);
	CHECK(strcmp(format_count(99999, text), "99999") == 0);
	CHECK(strcmp(format_count(999999, text), "1.00M") == 0);
	CHECK(strcmp(format_count(UINT64_MAX, text), "18.4E") == 0);
	CHECK(strcmp(format_exact(1234567, text), "1,234,567") == 0);
	CHECK(strcmp(format_exact(UINT64_MAX, text), "18,446,744,073,709,551,615") == 0);
	CHECK(strcmp(format_age(59999999999, text), "59s") == 0);
	CHECK(strcmp(format_age(200000000000, text), "3m20s") == 0);
	CHECK(strcmp(format_age(3720000000000, text), "1h02m") == 0);
	CHECK(strcmp(format_age(86400000000000 * 5 + 10800000000000, text), "5d03h") == 0);
	CHECK(strlen(format_age(UINT64_MAX, text)) <= 7);
}

int main(void)
{
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		puts("no locale of UTF-8: wide characters are not");
	test_picture();
	test_large();
	test_hostile();
	test_wide();
	test_match();
	test_sizes();
	test_sort();
	test_nameless();
	test_incomplete();
	test_cursor();
	test_filter();
	test_gone();
	test_pages();
	test_many();
	test_format();
	return test_end();
}
