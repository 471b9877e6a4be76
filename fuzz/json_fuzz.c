/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line of a .json report, which may come from anywhere (--diff). Holds: what is read can be written in every format; written and read again it
 * is the same; compared with itself every stack is found, and holds what it held; a line of .folded is a stack.
 */
#include "fuzz.h"
#include "output/compare.h"
#include "output/json_read.h"
#include "output/view.h"
#include "output/writers.h"

static char *text_of(const struct view *view,
		     int (*write)(FILE *out, const struct view *view, const struct output_how *how),
		     size_t *ret_size)
{
	const struct output_how how = {.report = ""};
	char *text;
	FILE *out = open_memstream(&text, ret_size);

	HOLDS(out);
	HOLDS(write(out, view, &how) == 0);
	HOLDS(fclose(out) == 0);
	return text;
}

static void write_all(const struct view *view)
{
	size_t size, lines = 0;
	char *text = text_of(view, output_write_folded, &size);

	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n';
	HOLDS(lines == view->n_stacks);
	free(text);
	free(text_of(view, output_write_pprof, &size));
	free(text_of(view, output_write_text, &size));
}

static void compare_with(struct view *view, const struct view *same)
{
	size_t n = view->n_stacks;

	HOLDS(view_compare(view, same) == 0);
	HOLDS(view->n_stacks == n);
	for (size_t i = 0; i < n; i++)
		HOLDS(view->stacks[i].before_bytes == view->stacks[i].bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[JSON_MAX_REASON], *first, *second;
	struct view *view, *again;
	size_t first_size, second_size;

	if (json_read((const char *)data, size, &view, why)) {
		HOLDS(why[0]);
		return 0;
	}
	write_all(view);
	first = text_of(view, output_write_json, &first_size);
	HOLDS(json_read(first, first_size, &again, why) == 0);
	second = text_of(again, output_write_json, &second_size);
	HOLDS(first_size == second_size && !memcmp(first, second, first_size));
	compare_with(view, again);
	write_all(view);
	free(first);
	free(text_of(view, output_write_json, &first_size));
	free(second);
	view_free(again);
	view_free(view);
	return 0;
}
