/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves: the page of 2,000 stacks has less than 300 KB, with 60 reports and a comparison; it names nothing that a browser would
 * load, and forbids it before its first script; names of any bytes stay inside the data, which is JSON (jansson reads it) in which every
 * stack is found again to the frame, the number and the point of its line; the same view makes the same bytes, and a view of nothing a page.
 * What a browser makes of it is proven by tests/page.
 */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../page/synthetic_view.h"
#include "../test.h"
#include "names.h"
#include "output/html_stacks.h"
#include "output/script_text.h"
#include "output/writers.h"

#define MAX_PAGE 300000 /* bytes */

/* To be freed. */
static char *page_of(const struct view *view)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out || output_write_html(out, view, NULL) || fclose(out))
		abort();
	CHECK(strlen(text) == size);
	return text;
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		n++;
	return n;
}

/* The text between the marks of the data; to be freed. */
static char *data_of(const char *page)
{
	static const char begin[] = "<script type=\"application/json\" id=\"data\">";
	const char *start = strstr(page, begin), *end = start ? strstr(start, "</script") : NULL;

	if (!end)
		abort();
	return strndup(start + strlen(begin), (size_t)(end - start) - strlen(begin));
}

static json_t *parsed(const char *page)
{
	char *data = data_of(page);
	json_error_t error;
	json_t *json = json_loads(data, JSON_REJECT_DUPLICATES, &error);

	if (!json) {
		fprintf(stderr, "%s, line %d\n", error.text, error.line);
		abort();
	}
	free(data);
	return json;
}

/* script_column()'s words, read as they stand there. To be freed. */
static int64_t *column(const json_t *json, size_t n)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	int64_t *numbers = calloc(n + 1, sizeof(*numbers)), last = 0;
	const char *text = json_string_value(json);

	if (!numbers)
		abort();
	for (size_t i = 0; i < n; i++) {
		uint64_t value = 0, more = 32;

		if (!text) {
			numbers[i] = json_integer_value(json);
			continue;
		}
		for (unsigned int shift = 0; more && *text; shift += 5) {
			uint64_t digit = (uint64_t)(strchr(digits, *text++) - digits);

			value |= (digit & 31) << shift;
			more = digit & 32;
		}
		last = (int64_t)((uint64_t)last + ((value & 1) ? ~(value >> 1) : value >> 1));
		numbers[i] = last;
	}
	CHECK(!text || !*text);
	return numbers;
}

static int64_t *column_of(const json_t *json, const char *name, size_t n)
{
	return column(json_object_get(json, name), n);
}

/* As print_name() has it. */
static bool same_text(const json_t *json, const char *text)
{
	char *shown = NULL;
	size_t size;
	FILE *out;
	bool same;

	if (!text || !json_is_string(json))
		return !text && json_is_null(json);
	out = open_memstream(&shown, &size);
	if (!out)
		abort();
	print_name(out, text, SIZE_MAX);
	fclose(out);
	same = strcmp(json_string_value(json), shown) == 0;
	free(shown);
	return same;
}

struct decoded {
	const json_t *json;
	size_t n, n_functions, n_frames;
	int64_t *module, *file, *function, *at, *shared, *own, *frames;
};

static bool same_frame(const struct decoded *d, int64_t number, const struct view *view,
		       const struct view_frame *frame)
{
	size_t function = (size_t)d->function[number];
	const json_t *name = json_array_get(json_object_get(d->json, "functions"), function);
	const json_t *file =
		json_array_get(json_object_get(d->json, "files"), (size_t)d->file[function] - 1);
	const char *flags = json_string_value(json_object_get(d->json, "frame_flags"));
	const json_t *modules = json_object_get(d->json, "modules");
	const json_t *path =
		json_array_get(json_array_get(modules, (size_t)d->module[function] - 1), 0);

	if (frame->function ? !same_text(name, frame->function) : !json_is_array(name))
		return false;
	if (!frame->function &&
	    strtoull(json_string_value(json_array_get(name, 1)), NULL, 16) != frame->pc)
		return false;
	if (frame->file ? !same_text(file, frame->file) : d->file[function] != 0)
		return false;
	return same_text(path, view->modules[frame->module].path) &&
	       d->at[number] == (frame->line ? (int64_t)frame->line : -(int64_t)frame->offset) &&
	       flags[number] == '0' + (frame->inlined ? 1 : 0) + (frame->by_frame_pointer ? 2 : 0);
}

static void check_paths(const struct decoded *d, const struct view *view, const int64_t *rank)
{
	int64_t *path = calloc(SYNTHETIC_DEPTH * 4, sizeof(*path));
	size_t next = 0, wrong = 0;

	if (!path)
		abort();
	for (size_t i = 0; i < d->n; i++) {
		const struct view_stack *stack = &view->stacks[rank[i]];
		size_t n = (size_t)(d->shared[i] + d->own[i]);

		if (n != stack->n_frames) {
			wrong++;
			break;
		}
		for (size_t k = (size_t)d->shared[i]; k < n; k++)
			path[k] = d->frames[next++];
		for (size_t k = 0; k < n; k++)
			wrong += !same_frame(d, path[k], view, &stack->frames[n - 1 - k]);
	}
	CHECK(wrong == 0);
	CHECK(d->n == 0 || next < d->n * SYNTHETIC_DEPTH / 2); /* callers are shared */
	free(path);
}

static void check_numbers(const struct decoded *d, const struct view *view, const int64_t *rank)
{
	const json_t *columns = json_object_get(d->json, "columns");
	const json_t *texts = json_object_get(d->json, "texts");
	size_t wrong = 0;

#define SAME(name, value)                                                                          \
	do {                                                                                       \
		int64_t *numbers = column_of(columns, name, d->n);                                 \
                                                                                                   \
		for (size_t i = 0; i < d->n; i++) {                                                \
			const struct view_stack *stack = &view->stacks[rank[i]];                   \
			const int64_t found = numbers[i];                                          \
                                                                                                   \
			wrong += !(value);                                                         \
		}                                                                                  \
		free(numbers);                                                                     \
		CHECK(wrong == 0);                                                                 \
	} while (0)
	SAME("bytes", found == (int64_t)stack->bytes);
	SAME("blocks", found == (int64_t)stack->blocks);
	SAME("oldest", found == (int64_t)(stack->oldest_ns / 100000000));
	SAME("growth_bytes", found == stack->growth_bytes);
	SAME("per_minute", found == view_growth_per_minute(view, stack));
	SAME("before_bytes", found == (int64_t)stack->before_bytes);
	SAME("pid", found == stack->pid);
	SAME("tid", found == stack->tid);
	SAME("reports", found == (int64_t)stack->n_history);
	SAME("comm", same_text(json_array_get(texts, (size_t)found), stack->comm));
	SAME("stop", stack->stop ? same_text(json_array_get(texts, (size_t)found - 1), stack->stop)
				 : found == 0);
#undef SAME
}

/* The last point is this report's, and points are as high as their share of the highest. */
static void check_lines(const struct decoded *d, const struct view *view, const int64_t *rank)
{
	size_t step = (size_t)json_integer_value(json_object_get(d->json, "history_step"));
	size_t wrong = 0;

	for (size_t i = 0; i < d->n; i++) {
		const struct view_stack *stack = &view->stacks[rank[i]];
		const char *line =
			json_string_value(json_array_get(json_object_get(d->json, "history"), i));
		size_t n = (stack->n_history + step - 1) / step, length = strlen(line);
		uint64_t most = 1;

		wrong += length != n && length != 1;
		for (size_t k = 0; k < stack->n_history; k++)
			most = stack->history[k] > most ? stack->history[k] : most;
		for (size_t k = 0; k < n; k++) {
			uint64_t bytes = stack->history[stack->n_history - 1 - k * step];
			char digit = line[length == 1 ? 0 : n - 1 - k];

			wrong += digit != script_digit((unsigned int)(bytes * 63 / most));
		}
	}
	CHECK(step > 0 && wrong == 0);
}

static void check_data(const char *page, const struct view *view)
{
	json_t *json = parsed(page);
	struct decoded d = {.json = json, .n = json_array_size(json_object_get(json, "history"))};
	size_t n_path = 0;
	int64_t *rank;

	CHECK(d.n == view->n_stacks);
	CHECK(json_integer_value(json_object_get(json, "bytes")) == (int64_t)view->bytes);
	CHECK(json_array_size(json_object_get(json, "notes")) == view->n_notes);
	d.n_functions = json_array_size(json_object_get(json, "functions"));
	d.n_frames = json_string_length(json_object_get(json, "frame_flags"));
	d.module = column_of(json, "function_module", d.n_functions);
	d.file = column_of(json, "function_file", d.n_functions);
	d.function = column_of(json, "frame_function", d.n_frames);
	d.at = column_of(json, "frame_at", d.n_frames);
	d.shared = column_of(json, "shared", d.n);
	d.own = column_of(json, "own", d.n);
	for (size_t i = 0; i < d.n; i++)
		n_path += (size_t)d.own[i];
	d.frames = column_of(json, "frames", n_path);
	rank = column_of(json_object_get(json, "columns"), "rank", d.n);
	check_paths(&d, view, rank);
	check_numbers(&d, view, rank);
	check_lines(&d, view, rank);
	free(d.module);
	free(d.file);
	free(d.function);
	free(d.at);
	free(d.shared);
	free(d.own);
	free(d.frames);
	free(rank);
	json_decref(json);
}

/* Whatever the data is: the page's own parts are the only markup. */
static void check_markup(const char *page)
{
	static const char policy[] =
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		"style-src 'unsafe-inline'; script-src 'unsafe-inline'\">";
	char *data = data_of(page);

	CHECK(strncmp(page, "<!DOCTYPE html>", 15) == 0);
	CHECK(strcmp(page + strlen(page) - 8, "</html>\n") == 0);
	CHECK(count(page, "<script") == 2 && count(page, "</script") == 2);
	CHECK(count(page, "<style") == 1 && count(page, "<!--") == 1);
	CHECK(strpbrk(data, "<>&") == NULL);
	CHECK(strstr(page, policy) && strstr(page, policy) < strstr(page, "<style"));
	free(data);
}

static void test_size(void)
{
	for (int compared = 0; compared < 2; compared++) {
		struct synthetic *s = synthetic_create(2000, compared);
		char *page = page_of(&s->view), *again = page_of(&s->view);

		printf("2,000 stacks%s: %zu bytes\n", compared ? ", compared" : "", strlen(page));
		CHECK(strlen(page) < MAX_PAGE);
		CHECK(strcmp(page, again) == 0);
		check_markup(page);
		check_data(page, &s->view);
		free(page);
		free(again);
		synthetic_free(s);
	}
}

/* Nothing that a browser would go for; the one address is the name of SVG's elements. */
static void test_closed(void)
{
	static const char *const loads[] = {
		" src=",  "url(",    "@import",	  "<link",   "<iframe",	  "<object", "<img",
		"fetch(", "XMLHttp", "WebSocket", "import(", "innerHTML", "eval("};
	struct synthetic *s = synthetic_create(0, false);
	char *page = page_of(&s->view);

	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++)
		CHECK(count(page, loads[i]) == 0);
	CHECK(count(page, "://") == 1 && count(page, "'http://www.w3.org/2000/svg'") == 1);
	CHECK(count(page, "href=") == 1 && count(page, "href=\"#graph\"") == 1);
	check_markup(page);
	check_data(page, &s->view);
	free(page);
	synthetic_free(s);
}

static void test_hostile(void)
{
	struct synthetic *s = synthetic_create(60, false);
	char *page;

	synthetic_make_hostile(s);
	page = page_of(&s->view);
	check_markup(page);
	check_data(page, &s->view);
	for (const unsigned char *c = (const unsigned char *)page; *c; c++)
		if ((*c < 0x20 && *c != '\n' && *c != '\t') || *c == 0x7f)
			CHECK(!"a control character");
	free(page);
	synthetic_free(s);
}

static char *text_of(const char *name)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	script_text(out, name);
	fclose(out);
	return text;
}

static void test_text(void)
{
	static const struct {
		const char *name, *text;
	} cases[] = {
		{NULL, "null"},
		{"", "\"\""},
		{"a b", "\"a b\""},
		{"</script>", "\"\\u003c/script\\u003e\""},
		{"&\"\\", "\"\\u0026\\u0022\\u005c\""},
		{"\n\x1b", "\"\\\\x0a\\\\x1b\""},
		{"\xff\xc3(", "\"\\\\xff\\\\xc3(\""},
		{"\xe5\x87\xbd", "\"\xe5\x87\xbd\""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = text_of(cases[i].name);

		CHECK(strcmp(text, cases[i].text) == 0);
		free(text);
	}
}

static void test_columns(void)
{
	static const int64_t numbers[] = {0, 15, -16, 16, INT64_MAX, INT64_MIN, -1, 1, 1};
	size_t n = sizeof(numbers) / sizeof(numbers[0]);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int64_t *found;
	json_t *json;

	script_column(out, numbers, n);
	fclose(out);
	json = json_loads(text, JSON_DECODE_ANY, NULL);
	found = column(json, n);
	CHECK(memcmp(found, numbers, sizeof(numbers)) == 0);
	free(found);
	free(text);
	json_decref(json);
}

int main(void)
{
	test_text();
	test_columns();
	test_size();
	test_closed();
	test_hostile();
	return test_end();
}
