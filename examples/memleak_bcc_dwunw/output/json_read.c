/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/json_read.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output/json_format.h"
#include "output/json_values.h"
#include "output/view.h"

static int read_time(struct json_reading *reading, const json_t *root)
{
	uint64_t when_ns = 0;
	int err = json_get_size(reading, root, "when_ns", &when_ns);

	reading->view->when.tv_sec = (time_t)(when_ns / 1000000000);
	reading->view->when.tv_nsec = (long)(when_ns % 1000000000);
	return err;
}

static int read_facts(struct json_reading *reading, const json_t *root)
{
	struct view *view = reading->view;
	const struct {
		const char *key;
		uint64_t *to;
	} sizes[] = {
		{"elapsed_ns", &view->elapsed_ns},
		{"min_age_ns", &view->min_age_ns},
		{"sample_rate", &view->sample_rate},
		{"sample_bytes", &view->sample_bytes},
		{"bytes", &view->bytes},
		{"blocks", &view->blocks},
		{"all_bytes", &view->all_bytes},
		{"all_blocks", &view->all_blocks},
	};
	int err = read_time(reading, root);

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]) && !err; i++)
		err = json_get_size(reading, root, sizes[i].key, sizes[i].to);
	if (!err)
		err = json_get_flag(reading, root, "no_ages", &view->no_ages);
	if (!err)
		err = json_get_flag(reading, root, "estimated", &view->estimated);
	return err ? err : json_get_text(reading, root, "walk", "", &view->walk);
}

static int read_processes(struct json_reading *reading, const json_t *root)
{
	struct view *view = reading->view;
	const json_t *array, *object;
	size_t n;
	int err = json_get_array(reading, root, "processes", &array, &n);

	if (err)
		return err;
	if (n > JSON_MAX_PROCESSES)
		return json_refuse(reading, "more than %d processes", JSON_MAX_PROCESSES);
	view->processes = calloc(n + 1, sizeof(*view->processes));
	if (!view->processes)
		return -ENOMEM;
	for (size_t i = 0; i < n && !err; i++) {
		struct view_process *process = &view->processes[i];

		err = json_get_object(reading, array, i, "processes", &object);
		if (!err)
			err = json_get_u32(reading, object, "pid", &process->pid);
		if (!err)
			err = json_get_text(reading, object, "comm", "", &process->comm);
	}
	view->n_processes = n;
	return err;
}

static int read_module(struct json_reading *reading, const json_t *object,
		       struct view_module *module)
{
	int err = json_get_text(reading, object, "path", "", &module->path);

	if (!err)
		err = json_get_text(reading, object, "build_id", "", &module->build_id);
	if (!err)
		err = json_get_address(reading, object, "start", &module->start);
	if (!err)
		err = json_get_address(reading, object, "end", &module->end);
	return err ? err : json_get_address(reading, object, "file_off", &module->file_off);
}

static int read_modules(struct json_reading *reading, const json_t *root)
{
	struct view *view = reading->view;
	const json_t *array, *object;
	size_t n;
	int err = json_get_array(reading, root, "modules", &array, &n);

	if (err)
		return err;
	view->modules = calloc(n + 1, sizeof(*view->modules));
	if (!view->modules)
		return -ENOMEM;
	for (size_t i = 0; i < n && !err; i++) {
		err = json_get_object(reading, array, i, "modules", &object);
		if (!err)
			err = read_module(reading, object, &view->modules[i]);
	}
	view->n_modules = n;
	return err;
}

static int read_sums(struct json_reading *reading, const json_t *root)
{
	struct view *view = reading->view;
	const json_t *array, *object;
	size_t n;
	int err = json_get_array(reading, root, "sums", &array, &n);

	if (err)
		return err;
	view->sums = calloc(n + 1, sizeof(*view->sums));
	if (!view->sums)
		return -ENOMEM;
	for (size_t i = 0; i < n && !err; i++) {
		struct view_sum *sum = &view->sums[i];

		err = json_get_object(reading, array, i, "sums", &object);
		if (!err)
			err = json_get_text(reading, object, "reason", NULL, &sum->reason);
		if (!err)
			err = json_get_size(reading, object, "bytes", &sum->bytes);
		if (!err)
			err = json_get_size(reading, object, "blocks", &sum->blocks);
	}
	view->n_sums = n;
	return err;
}

static int read_notes(struct json_reading *reading, const json_t *root)
{
	struct view *view = reading->view;
	const json_t *array;
	size_t n;
	int err = json_get_array(reading, root, "notes", &array, &n);

	if (err)
		return err;
	view->notes = calloc(n + 1, sizeof(*view->notes));
	if (!view->notes)
		return -ENOMEM;
	for (size_t i = 0; i < n && !err; i++)
		err = json_keep_text(reading, json_array_get(array, i), "a note", &view->notes[i]);
	view->n_notes = n;
	return err;
}

static int read_frame(struct json_reading *reading, const json_t *object, struct view_frame *frame)
{
	const json_t *module = json_object_get(object, "module");
	int err = json_get_text(reading, object, "function", NULL, &frame->function);

	frame->module = VIEW_NO_MODULE;
	if (!err)
		err = json_get_text(reading, object, "file", NULL, &frame->file);
	if (!err)
		err = json_get_address(reading, object, "pc", &frame->pc);
	if (!err)
		err = json_get_address(reading, object, "offset", &frame->offset);
	if (!err)
		err = json_get_u32(reading, object, "line", &frame->line);
	if (!err)
		err = json_get_u32(reading, object, "column", &frame->column);
	if (!err && module)
		err = json_get_u32(reading, object, "module", &frame->module);
	if (!err && module && frame->module >= reading->view->n_modules)
		err = json_refuse(reading, "there is no module %u", frame->module);
	if (!err)
		err = json_get_flag(reading, object, "inlined", &frame->inlined);
	if (!err)
		err = json_get_flag(reading, object, "by_frame_pointer", &frame->by_frame_pointer);
	return err;
}

static int read_frames(struct json_reading *reading, const json_t *root)
{
	const json_t *array, *object;
	size_t n;
	int err = json_get_array(reading, root, "frames", &array, &n);

	if (err)
		return err;
	reading->frames = calloc(n + 1, sizeof(*reading->frames));
	if (!reading->frames)
		return -ENOMEM;
	for (size_t i = 0; i < n && !err; i++) {
		err = json_get_object(reading, array, i, "frames", &object);
		if (!err)
			err = read_frame(reading, object, &reading->frames[i]);
	}
	reading->n_frames = n;
	return err;
}

static int read_stack_frames(struct json_reading *reading, const json_t *object,
			     struct view_stack *stack)
{
	const json_t *array;
	struct view_frame *frames;
	size_t n;
	int err = json_get_array(reading, object, "frames", &array, &n);

	if (err || !n)
		return err;
	reading->n_frames_of_stacks += n;
	if (reading->n_frames_of_stacks > JSON_MAX_FRAMES)
		return json_refuse(reading, "its stacks have more than %zu frames",
				   JSON_MAX_FRAMES);
	frames = calloc(n, sizeof(*frames));
	if (!frames)
		return -ENOMEM;
	stack->frames = frames;
	stack->n_frames = n;
	for (size_t i = 0; i < n; i++) {
		const json_t *value = json_array_get(array, i);
		json_int_t index = json_is_integer(value) ? json_integer_value(value) : -1;

		if (index < 0 || (uint64_t)index >= reading->n_frames)
			return json_refuse(reading, "a stack has a frame that is none of the %zu",
					   reading->n_frames);
		frames[i] = reading->frames[index];
	}
	return 0;
}

static int read_stack(struct json_reading *reading, const json_t *object, struct view_stack *stack)
{
	const struct {
		const char *key;
		uint64_t *to;
	} sizes[] = {
		{"bytes", &stack->bytes},	  {"blocks", &stack->blocks},
		{"sampled", &stack->sampled},	  {"oldest_ns", &stack->oldest_ns},
		{"median_ns", &stack->median_ns},
	};
	int err = json_get_address(reading, object, "identity", &stack->identity);

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]) && !err; i++)
		err = json_get_size(reading, object, sizes[i].key, sizes[i].to);
	if (!err)
		err = json_get_signed(reading, object, "growth_bytes", &stack->growth_bytes);
	if (!err)
		err = json_get_signed(reading, object, "growth_blocks", &stack->growth_blocks);
	if (!err)
		err = json_get_u32(reading, object, "pid", &stack->pid);
	if (!err)
		err = json_get_u32(reading, object, "tid", &stack->tid);
	if (!err)
		err = json_get_text(reading, object, "comm", "", &stack->comm);
	if (!err)
		err = json_get_text(reading, object, "stop", NULL, &stack->stop);
	return err ? err : read_stack_frames(reading, object, stack);
}

static int read_stacks(struct json_reading *reading, const json_t *root)
{
	struct view *view = reading->view;
	const json_t *array, *object;
	size_t n;
	int err = json_get_array(reading, root, "stacks", &array, &n);

	if (err)
		return err;
	view->stacks = calloc(n + 1, sizeof(*view->stacks));
	if (!view->stacks)
		return -ENOMEM;
	view->n_stacks = n;
	for (size_t i = 0; i < n && !err; i++) {
		err = json_get_object(reading, array, i, "stacks", &object);
		if (!err)
			err = read_stack(reading, object, &view->stacks[i]);
	}
	return err;
}

static int read_root(struct json_reading *reading, const json_t *root)
{
	const char *format = json_string_value(json_object_get(root, "format"));
	json_int_t version = json_integer_value(json_object_get(root, "version"));
	int err;

	if (!format || strcmp(format, JSON_FORMAT) != 0)
		return json_refuse(reading, "no report of memleak_dwunw_user");
	if (version < 1 || version > JSON_VERSION)
		return json_refuse(reading, "a report of version %lld, not %d", (long long)version,
				   JSON_VERSION);
	err = read_facts(reading, root);
	if (!err)
		err = read_processes(reading, root);
	if (!err)
		err = read_modules(reading, root);
	if (!err)
		err = read_sums(reading, root);
	if (!err)
		err = read_notes(reading, root);
	if (!err)
		err = read_frames(reading, root);
	return err ? err : read_stacks(reading, root);
}

/* Memory grows with what is parsed, most of all with empty objects. */
static bool is_too_much(const char *bytes, size_t n)
{
	size_t parts = 0, commas = 0;

	for (size_t i = 0; i < n; i++) {
		parts += bytes[i] == '{' || bytes[i] == '[';
		commas += bytes[i] == ',';
	}
	return n > JSON_MAX_LINE || parts > JSON_MAX_PARTS || commas > 2 * JSON_MAX_FRAMES;
}

int json_read(const char *bytes, size_t n, struct view **ret, char why[JSON_MAX_REASON])
{
	struct json_reading reading = {.why = why};
	json_error_t error;
	json_t *root;
	int err;

	if (is_too_much(bytes, n))
		return json_refuse(&reading,
				   "a larger report than can be read (%zu MiB, %zu parts)",
				   JSON_MAX_LINE >> 20, JSON_MAX_PARTS);
	root = json_loadb(bytes, n, 0, &error);
	if (!root)
		return json_refuse(&reading, "not JSON: %s", error.text);
	reading.view = calloc(1, sizeof(*reading.view));
	err = reading.view ? read_root(&reading, root) : -ENOMEM;
	json_decref(root);
	free(reading.frames);
	if (err) {
		if (err == -ENOMEM)
			snprintf(why, JSON_MAX_REASON, "%s", strerror(ENOMEM));
		view_free(reading.view);
		return err;
	}
	*ret = reading.view;
	return 0;
}
