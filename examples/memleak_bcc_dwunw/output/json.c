/* SPDX-License-Identifier: BSD-2-Clause */
/* .json: a line for each report; docs/report-json.md says what is in it. Read again by json_read.c. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "output/escape.h"
#include "output/frames.h"
#include "output/json_format.h"
#include "output/view.h"
#include "output/writers.h"

/* JSON has no numbers of its own size: what is larger than jansson's integers is the largest of them. */
static json_int_t number(uint64_t value)
{
	return value > INT64_MAX ? INT64_MAX : (json_int_t)value;
}

static int64_t when_ns(const struct timespec *when)
{
	return (int64_t)when->tv_sec * 1000000000 + when->tv_nsec;
}

/* NULL: no memory. */
static json_t *text(const char *name)
{
	char *escaped = escape_name(name, "");
	json_t *ret = escaped ? json_string(escaped) : NULL;

	free(escaped);
	return ret;
}

/* Addresses, and whatever else has 64 bits: hexadecimal, since readers take numbers for floating point. */
static json_t *address(uint64_t value)
{
	return json_sprintf("0x%" PRIx64, value);
}

/* Takes `value` over; NULL: no memory. */
static int add(json_t *object, const char *key, json_t *value)
{
	return json_object_set_new_nocheck(object, key, value) ? -ENOMEM : 0;
}

/* Nothing for NULL. */
static int add_text(json_t *object, const char *key, const char *name)
{
	return name ? add(object, key, text(name)) : 0;
}

/* Nothing for 0. */
static int add_number(json_t *object, const char *key, uint64_t value)
{
	return value ? add(object, key, json_integer(number(value))) : 0;
}

/* Nothing for false. */
static int add_flag(json_t *object, const char *key, bool value)
{
	return value ? add(object, key, json_true()) : 0;
}

/* An array of what `make` gives for each of `n`; NULL: no memory. */
static json_t *array_of(const struct view *view, size_t n,
			json_t *(*make)(const struct view *view, size_t i))
{
	json_t *array = json_array();

	for (size_t i = 0; i < n && array; i++) {
		if (json_array_append_new(array, make(view, i))) {
			json_decref(array);
			array = NULL;
		}
	}
	return array;
}

static json_t *process_of(const struct view *view, size_t i)
{
	const struct view_process *process = &view->processes[i];

	return json_pack("{s:I, s:o}", "pid", number(process->pid), "comm", text(process->comm));
}

static json_t *module_of(const struct view *view, size_t i)
{
	const struct view_module *module = &view->modules[i];
	json_t *object = json_pack("{s:o}", "path", text(module->path));
	int err = object ? 0 : -ENOMEM;

	if (!err && module->build_id[0])
		err = add_text(object, "build_id", module->build_id);
	if (!err && module->end)
		err = add(object, "start", address(module->start));
	if (!err && module->end)
		err = add(object, "end", address(module->end));
	if (!err && module->end)
		err = add(object, "file_off", address(module->file_off));
	if (!err)
		return object;
	json_decref(object);
	return NULL;
}

static json_t *sum_of(const struct view *view, size_t i)
{
	const struct view_sum *sum = &view->sums[i];
	json_t *object =
		json_pack("{s:I, s:I}", "bytes", number(sum->bytes), "blocks", number(sum->blocks));

	if (object && !add_text(object, "reason", sum->reason))
		return object;
	json_decref(object);
	return NULL;
}

static json_t *note_of(const struct view *view, size_t i)
{
	return text(view->notes[i]);
}

/* Its parts are in the order of the structure. */
static json_t *frame_of(const struct view_frame *frame)
{
	json_t *object = json_object();
	int err = object ? add_text(object, "function", frame->function) : -ENOMEM;

	if (!err)
		err = add_text(object, "file", frame->file);
	if (!err)
		err = add(object, "pc", address(frame->pc));
	if (!err && frame->function && !frame->inlined)
		err = add(object, "offset", address(frame->offset));
	if (!err)
		err = add_number(object, "line", frame->line);
	if (!err)
		err = add_number(object, "column", frame->column);
	if (!err && frame->module != VIEW_NO_MODULE)
		err = add(object, "module", json_integer(frame->module));
	if (!err)
		err = add_flag(object, "inlined", frame->inlined);
	if (!err)
		err = add_flag(object, "by_frame_pointer", frame->by_frame_pointer);
	if (!err)
		return object;
	json_decref(object);
	return NULL;
}

/* Whose memory it is, and why the stack ends. */
static int add_owner(json_t *object, const struct view_stack *stack)
{
	int err = add(object, "identity", address(stack->identity));

	if (!err)
		err = add_number(object, "pid", stack->pid);
	if (!err)
		err = add_number(object, "tid", stack->tid);
	if (!err)
		err = add_text(object, "comm", stack->comm);
	return err ? err : add_text(object, "stop", stack->stop);
}

static int add_amounts(json_t *object, const struct view *view, const struct view_stack *stack)
{
	json_t *amounts =
		json_pack("{s:I, s:I, s:I, s:I}", "bytes", number(stack->bytes), "blocks",
			  number(stack->blocks), "growth_bytes", (json_int_t)stack->growth_bytes,
			  "growth_blocks", (json_int_t)stack->growth_blocks);
	int err = amounts && !json_object_update(object, amounts) ? 0 : -ENOMEM;

	json_decref(amounts);
	if (!err)
		err = add_number(object, "sampled", stack->sampled);
	if (!err && !view->no_ages)
		err = add(object, "oldest_ns", json_integer(number(stack->oldest_ns)));
	if (!err && !view->no_ages)
		err = add(object, "median_ns", json_integer(number(stack->median_ns)));
	if (!err && view->compared)
		err = add(object, "before_bytes", json_integer(number(stack->before_bytes)));
	if (!err && view->compared)
		err = add(object, "before_blocks", json_integer(number(stack->before_blocks)));
	return err;
}

/* An array under `key`, of numbers that either is given as. */
static int add_frames(json_t *object, const uint32_t *indices, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++) {
		if (json_array_append_new(array, json_integer(indices[i]))) {
			json_decref(array);
			return -ENOMEM;
		}
	}
	return add(object, "frames", array);
}

static int add_history(json_t *object, const struct view_stack *stack)
{
	json_t *array;

	if (!stack->n_history)
		return 0;
	array = json_array();
	for (size_t i = 0; i < stack->n_history; i++) {
		if (json_array_append_new(array, json_integer(number(stack->history[i])))) {
			json_decref(array);
			return -ENOMEM;
		}
	}
	return add(object, "history", array);
}

static json_t *stack_of(const struct view *view, const struct view_stack *stack,
			const uint32_t *frames)
{
	json_t *object = json_object();
	int err = object ? add_owner(object, stack) : -ENOMEM;

	if (!err)
		err = add_amounts(object, view, stack);
	if (!err)
		err = add_frames(object, frames, stack->n_frames);
	if (!err)
		err = add_history(object, stack);
	if (!err)
		return object;
	json_decref(object);
	return NULL;
}

/* All but frames and stacks. */
static json_t *head_of(const struct view *view)
{
	json_t *object = json_pack(
		"{s:s, s:i, s:I, s:I, s:o, s:I, s:b, s:b, s:I, s:I, s:I, s:I}", "format",
		JSON_FORMAT, "version", JSON_VERSION, "when_ns", (json_int_t)when_ns(&view->when),
		"elapsed_ns", number(view->elapsed_ns), "walk", text(view->walk), "min_age_ns",
		number(view->min_age_ns), "no_ages", view->no_ages, "estimated", view->estimated,
		"bytes", number(view->bytes), "blocks", number(view->blocks), "all_bytes",
		number(view->all_bytes), "all_blocks", number(view->all_blocks));
	int err = object ? add_number(object, "sample_rate", view->sample_rate) : -ENOMEM;

	if (!err)
		err = add_number(object, "sample_bytes", view->sample_bytes);
	if (!err)
		err = add(object, "processes", array_of(view, view->n_processes, process_of));
	if (!err)
		err = add(object, "modules", array_of(view, view->n_modules, module_of));
	if (!err)
		err = add(object, "sums", array_of(view, view->n_sums, sum_of));
	if (!err)
		err = add(object, "notes", array_of(view, view->n_notes, note_of));
	if (!err && view->compared)
		err = add(object, "before_when_ns",
			  json_integer((json_int_t)when_ns(&view->before_when)));
	if (!err && view->compared)
		err = add(object, "before_bytes", json_integer(number(view->before_bytes)));
	if (!err && view->compared)
		err = add(object, "before_blocks", json_integer(number(view->before_blocks)));
	if (!err)
		return object;
	json_decref(object);
	return NULL;
}

/* Takes `value` over; NULL: no memory. */
static int print_part(FILE *out, const char *before, json_t *value, size_t flags)
{
	fputs(before, out);
	if (!value)
		return -ENOMEM;
	json_dumpf(value, out, JSON_COMPACT | flags);
	json_decref(value);
	return 0;
}

int output_write_json(FILE *out, const struct view *view, const struct output_how *how)
{
	struct frame_table table;
	const uint32_t *frames;
	int err = frame_table_create(view, &table);

	(void)how;
	if (err)
		return err;
	err = print_part(out, "{", head_of(view), JSON_EMBED);
	fputs(",\"frames\":[", out);
	for (size_t i = 0; i < table.n && !err; i++)
		err = print_part(out, i ? "," : "", frame_of(table.frames[i]), 0);
	fputs("],\"stacks\":[", out);
	frames = table.of;
	for (size_t i = 0; i < view->n_stacks && !err; i++) {
		err = print_part(out, i ? "," : "", stack_of(view, &view->stacks[i], frames), 0);
		frames += view->stacks[i].n_frames;
	}
	fputs("]}\n", out);
	frame_table_free(&table);
	return err;
}
