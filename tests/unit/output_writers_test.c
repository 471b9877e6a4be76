/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves: .folded has a line for each stack, which tools read as it is meant whatever the names are, and each name can be had back from
 * it; with a comparison it has both values; .json is one line, which jansson takes and from which the view comes back whole; .txt is the report.
 */
#include "output/writers.h"

#include <errno.h>
#include <jansson.h>

#include "../test.h"
#include "output/escape.h"
#include "output/json_read.h"
#include "views.h"

static const struct output_how plain = {.report = "[1:2:3] Top 0 stacks\n"};

static void test_escape(void)
{
	for (size_t i = 0; i < N_HOSTILE; i++) {
		char *text = escape_name(hostile[i], "; "), *back = NULL;

		CHECK(!strpbrk(text, "; \n\t\x1b\x7f"));
		CHECK(!unescape_name(text, &back) && !strcmp(back, hostile[i]));
		free(text);
		free(back);
	}
	for (int byte = 1; byte < 256; byte++) {
		char name[] = {'a', (char)byte, 'b', 0}, *text = escape_name(name, ""),
		     *back = NULL;
		json_t *value = json_string(text);

		CHECK(value && !unescape_name(text, &back) && !strcmp(back, name));
		json_decref(value);
		free(text);
		free(back);
	}
}

static void test_unescape(void)
{
	static const char *const bad[] = {"\\",	   "a\\",   "\\x", "\\x1",
					  "\\xg0", "\\x00", "\\n", "\\X41"};
	char *name;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(unescape_name(bad[i], &name) == -EINVAL);
	CHECK(!unescape_name("\\\\x41\\x41\\\\", &name) && !strcmp(name, "\\x41A\\"));
	free(name);
}

static void test_folded(struct hostile_view *v)
{
	size_t size;
	char *text = written(hostile_view(v), &plain, output_write_folded, &size);
	char *line = strtok(text, "\n"), *part = line + strlen(line);
	static const char second[] = "run\\x3b me\\x7f-9;[incomplete: stack: too "
				     "deep];[unknown];[gone.so];[lib.so+0x600];"
				     "operator new(unsigned long) 24";

	CHECK(!strncmp(line, "run\\x3b me\\x7f-7;main;TTTT", 25));
	CHECK(!strcmp(strrchr(line, ' '), " 1000"));
	*strrchr(line, ' ') = '\0';
	/* from the innermost outwards: every name is there, and comes back */
	for (size_t i = 0; i < 8; i++) {
		char *name = NULL;

		part = strrchr(line, ';');
		CHECK(part && !unescape_name(part + 1, &name) &&
		      !strcmp(name, v->frames[0][i].function));
		free(name);
		if (part)
			*part = '\0';
	}
	CHECK(!strcmp(line, "run\\x3b me\\x7f-7"));
	line = strtok(NULL, "\n");
	CHECK(line && !strcmp(line, second));
	line = strtok(NULL, "\n");
	CHECK(line && !strcmp(line, "run\\x3b me\\x7f-7 1"));
	CHECK(!strtok(NULL, "\n"));
	free(text);
}

/* flamegraph.pl takes ` 12 100` at the end of a line for two values. */
static void test_folded_value(struct hostile_view *v)
{
	const struct output_how count = {.report = "", .folded_count = true};
	struct view *view = hostile_view(v);
	struct view_frame frame = {.function = hostile[4], .module = VIEW_NO_MODULE};
	size_t size;
	char *text;

	view->n_stacks = 1;
	view->n_processes = 0;
	v->stacks[0].frames = &frame;
	v->stacks[0].n_frames = 1;
	text = written(view, &count, output_write_folded, &size);
	CHECK(text && !strcmp(text, "thr\"ead;ends\\x20with\\x2012 10\n"));
	free(text);
	view->compared = true;
	v->stacks[0].before_bytes = 7;
	v->stacks[0].pid = 0;
	text = written(view, &plain, output_write_folded, &size);
	CHECK(text && !strcmp(text, "kernel;ends\\x20with\\x2012 7 1000\n"));
	free(text);
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static void check_stack(const struct view_stack *a, const struct view_stack *b)
{
	CHECK(a->identity == b->identity && a->pid == b->pid && a->tid == b->tid);
	CHECK(same_text(a->comm, b->comm) && same_text(a->stop, b->stop));
	CHECK(a->bytes == b->bytes && a->blocks == b->blocks);
	CHECK(a->growth_bytes == b->growth_bytes && a->growth_blocks == b->growth_blocks);
	CHECK(a->oldest_ns == b->oldest_ns && a->median_ns == b->median_ns);
	CHECK(a->n_frames == b->n_frames);
	for (size_t i = 0; i < a->n_frames && i < b->n_frames; i++) {
		const struct view_frame *x = &a->frames[i], *y = &b->frames[i];

		CHECK(same_text(x->function, y->function) && same_text(x->file, y->file));
		CHECK(x->pc == y->pc && x->offset == y->offset && x->module == y->module);
		CHECK(x->line == y->line && x->column == y->column && x->inlined == y->inlined);
		CHECK(x->by_frame_pointer == y->by_frame_pointer);
	}
}

static void test_json(struct hostile_view *v)
{
	const struct view *view = hostile_view(v);
	char why[JSON_MAX_REASON] = "", *text;
	struct view *back = NULL;
	size_t size = 0;
	json_t *root;

	text = written(view, &plain, output_write_json, &size);
	CHECK(text && strchr(text, '\n') == text + size - 1);
	root = json_loads(text, 0, NULL);
	CHECK(json_integer_value(json_object_get(root, "when_ns")) == 1700000000123456789);
	CHECK(json_integer_value(json_object_get(root, "all_bytes")) == INT64_MAX);
	/* one of the twelve is in two stacks */
	CHECK(json_array_size(json_object_get(root, "frames")) == 11);
	json_decref(root);
	CHECK(!json_read(text, size, &back, why) && !why[0]);
	free(text);
	if (!back)
		return;
	CHECK(back->n_stacks == 3 && back->n_modules == 3 && back->n_processes == 2);
	for (size_t i = 0; i < 3; i++)
		check_stack(&view->stacks[i], &back->stacks[i]);
	for (size_t i = 0; i < 3; i++)
		CHECK(same_text(view->modules[i].path, back->modules[i].path) &&
		      same_text(view->modules[i].build_id, back->modules[i].build_id) &&
		      view->modules[i].start == back->modules[i].start &&
		      view->modules[i].file_off == back->modules[i].file_off);
	CHECK(back->when.tv_sec == 1700000000 && back->when.tv_nsec == 123456789);
	CHECK(same_text(back->notes[0], v->notes[0]) && same_text(back->notes[1], v->notes[1]));
	CHECK(same_text(back->processes[1].comm, "run; me\x7f") && back->processes[1].pid == 9);
	view_free(back);
}

static void test_text(struct hostile_view *v)
{
	size_t size;
	char *text = written(hostile_view(v), &plain, output_write_text, &size);

	CHECK(text && !strcmp(text, plain.report));
	free(text);
}

int main(void)
{
	static struct hostile_view v;

	test_escape();
	test_unescape();
	test_folded(&v);
	test_folded_value(&v);
	test_json(&v);
	test_text(&v);
	return test_end();
}
