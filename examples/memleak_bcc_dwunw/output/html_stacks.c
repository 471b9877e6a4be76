/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/html_stacks.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "output/frames.h"
#include "output/numbering.h"
#include "output/script_text.h"
#include "output/view.h"

struct stacks {
	const struct view *view;
	struct numbering files, functions, frames, texts;
	uint32_t *paths;  /* frames of all stacks, each from the root on */
	size_t *starts;	  /* of each in paths; one more: the end */
	uint32_t *order;  /* stacks by their paths */
	int64_t *numbers; /* room for a column */
};

enum frame_flag { FRAME_INLINED = 1, FRAME_BY_FP = 2 };

static int number_text(struct numbering *texts, const char *text, uint32_t *ret)
{
	const struct numbering_key key = {{(uintptr_t)text}};

	return numbering_find(texts, &key, ret);
}

static int number_frame(struct stacks *stacks, const struct view_frame *frame, uint32_t *ret)
{
	struct numbering_key function = {{(uintptr_t)frame->function, frame->module + 1, 0, 0}};
	struct numbering_key key = {};
	uint32_t file, number;

	if (frame->file) {
		if (number_text(&stacks->files, frame->file, &file))
			return -ENOMEM;
		function.words[2] = file + 1;
	}
	if (!frame->function)
		function.words[3] = frame->pc;
	if (numbering_find(&stacks->functions, &function, &number))
		return -ENOMEM;
	key.words[0] = number;
	key.words[1] = frame->line ? frame->line : -frame->offset;
	key.words[2] =
		(frame->inlined ? FRAME_INLINED : 0) | (frame->by_frame_pointer ? FRAME_BY_FP : 0);
	return numbering_find(&stacks->frames, &key, ret);
}

static int number_texts(struct stacks *stacks, const struct view_stack *stack)
{
	uint32_t number;
	int err = 0;

	if (stack->comm)
		err = number_text(&stacks->texts, stack->comm, &number);
	if (!err && stack->stop)
		err = number_text(&stacks->texts, stack->stop, &number);
	return err;
}

/* Frames that the table tells apart may be one here: it knows addresses. */
static int number_paths(struct stacks *stacks, const struct frame_table *table)
{
	const struct view *view = stacks->view;
	uint32_t *numbers = calloc(table->n + 1, sizeof(*numbers));
	int err = numbers ? 0 : -ENOMEM;

	for (size_t i = 0; i < table->n && !err; i++)
		err = number_frame(stacks, table->frames[i], &numbers[i]);
	for (size_t i = 0; i < view->n_stacks && !err; i++) {
		size_t start = stacks->starts[i], end = start + view->stacks[i].n_frames;

		for (size_t k = start; k < end; k++) /* from the root on */
			stacks->paths[k] = numbers[table->of[end - 1 - (k - start)]];
	}
	free(numbers);
	return err;
}

static int compare_paths(const void *a, const void *b, void *context)
{
	const struct stacks *stacks = context;
	uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;
	size_t i = stacks->starts[one], j = stacks->starts[other];

	for (; i < stacks->starts[one + 1] && j < stacks->starts[other + 1]; i++, j++)
		if (stacks->paths[i] != stacks->paths[j])
			return stacks->paths[i] < stacks->paths[j] ? -1 : 1;
	if (i < stacks->starts[one + 1] || j < stacks->starts[other + 1])
		return i < stacks->starts[one + 1] ? 1 : -1;
	return (one > other) - (one < other);
}

static int number_all(struct stacks *stacks)
{
	const struct view *view = stacks->view;
	struct frame_table table;
	int err = frame_table_create(view, &table);
	size_t most;

	if (err)
		return err;
	most = table.n_of > view->n_stacks ? table.n_of : view->n_stacks;
	stacks->paths = calloc(table.n_of + 1, sizeof(*stacks->paths));
	stacks->starts = calloc(view->n_stacks + 1, sizeof(*stacks->starts));
	stacks->order = calloc(view->n_stacks + 1, sizeof(*stacks->order));
	stacks->numbers = calloc(most + 1, sizeof(*stacks->numbers));
	if (!stacks->paths || !stacks->starts || !stacks->order || !stacks->numbers)
		err = -ENOMEM;
	for (size_t i = 0; i < view->n_stacks && !err; i++) {
		stacks->order[i] = (uint32_t)i;
		stacks->starts[i + 1] = stacks->starts[i] + view->stacks[i].n_frames;
		err = number_texts(stacks, &view->stacks[i]);
	}
	if (!err)
		err = number_paths(stacks, &table);
	frame_table_free(&table);
	if (!err)
		qsort_r(stacks->order, view->n_stacks, sizeof(stacks->order[0]), compare_paths,
			stacks);
	return err;
}

static void print_texts(FILE *out, const char *name, const struct numbering *texts)
{
	fprintf(out, "\"%s\":[", name);
	for (size_t i = 0; i < texts->n; i++) {
		fputs(i ? ",\n" : "", out);
		script_text(out, (const char *)(uintptr_t)texts->keys[i]->words[0]);
	}
	fputs("],\n", out);
}

/* One word of all keys. */
static void print_words(FILE *out, const char *name, const struct numbering *of, size_t word,
			int64_t *numbers)
{
	for (size_t i = 0; i < of->n; i++)
		numbers[i] = (int64_t)of->keys[i]->words[word];
	fprintf(out, "\"%s\":", name);
	script_column(out, numbers, of->n);
	fputs(",\n", out);
}

static int print_function(FILE *out, const struct view *view, const struct numbering_key *key)
{
	const struct view_frame frame = {.pc = key->words[3],
					 .module = (uint32_t)key->words[1] - 1};
	char *name;

	if (key->words[0]) {
		script_text(out, (const char *)(uintptr_t)key->words[0]);
		return 0;
	}
	name = frame_name(view, &frame);
	if (!name)
		return -ENOMEM;
	fputs("[", out);
	script_text(out, name);
	fprintf(out, ",\"%" PRIx64 "\"]", frame.pc);
	free(name);
	return 0;
}

static int print_frames(FILE *out, struct stacks *stacks)
{
	const struct numbering *functions = &stacks->functions, *frames = &stacks->frames;

	print_texts(out, "files", &stacks->files);
	fputs("\"functions\":[", out);
	for (size_t i = 0; i < functions->n; i++) {
		fputs(i ? ",\n" : "", out);
		if (print_function(out, stacks->view, functions->keys[i]))
			return -ENOMEM;
	}
	fputs("],\n", out);
	print_words(out, "function_module", functions, 1, stacks->numbers);
	print_words(out, "function_file", functions, 2, stacks->numbers);
	print_words(out, "frame_function", frames, 0, stacks->numbers);
	print_words(out, "frame_at", frames, 1, stacks->numbers);
	fputs("\"frame_flags\":\"", out);
	for (size_t i = 0; i < frames->n; i++)
		putc('0' + (int)frames->keys[i]->words[2], out);
	fputs("\",\n", out);
	return 0;
}

static size_t count_shared(const struct stacks *stacks, uint32_t one, uint32_t other)
{
	const uint32_t *a = stacks->paths + stacks->starts[one];
	const uint32_t *b = stacks->paths + stacks->starts[other];
	size_t n_a = stacks->starts[one + 1] - stacks->starts[one];
	size_t n_b = stacks->starts[other + 1] - stacks->starts[other];
	size_t n = 0;

	while (n < n_a && n < n_b && a[n] == b[n])
		n++;
	return n;
}

static size_t shared(const struct stacks *stacks, size_t i)
{
	return i ? count_shared(stacks, stacks->order[i - 1], stacks->order[i]) : 0;
}

static void print_paths(FILE *out, struct stacks *stacks)
{
	size_t n = stacks->view->n_stacks, n_frames = 0;

	fputs("\"shared\":", out);
	for (size_t i = 0; i < n; i++)
		stacks->numbers[i] = (int64_t)shared(stacks, i);
	script_column(out, stacks->numbers, n);
	fputs(",\n\"own\":", out);
	for (size_t i = 0; i < n; i++)
		stacks->numbers[i] = (int64_t)(stacks->view->stacks[stacks->order[i]].n_frames -
					       shared(stacks, i));
	script_column(out, stacks->numbers, n);
	fputs(",\n\"frames\":", out);
	for (size_t i = 0; i < n; i++)
		for (size_t at = stacks->starts[stacks->order[i]] + shared(stacks, i);
		     at < stacks->starts[stacks->order[i] + 1]; at++)
			stacks->numbers[n_frames++] = stacks->paths[at];
	script_column(out, stacks->numbers, n_frames);
	fputs(",\n", out);
}

static int64_t text_number(const struct stacks *stacks, const char *text)
{
	const struct numbering_key key = {{(uintptr_t)text}};
	uint32_t number;

	return numbering_look(&stacks->texts, &key, &number) ? -1 : (int64_t)number;
}

static void print_columns(FILE *out, struct stacks *stacks)
{
	const struct view *view = stacks->view;
	int64_t *numbers = stacks->numbers;
	const char *before = "";

	fputs("\"columns\":{", out);
#define COLUMN(name, number)                                                                       \
	do {                                                                                       \
		for (size_t i = 0; i < view->n_stacks; i++) {                                      \
			const struct view_stack *stack = &view->stacks[stacks->order[i]];          \
                                                                                                   \
			numbers[i] = (int64_t)(number);                                            \
		}                                                                                  \
		fprintf(out, "%s\"%s\":", before, name);                                           \
		script_column(out, numbers, view->n_stacks);                                       \
		before = ",\n";                                                                    \
	} while (0)
	COLUMN("rank", stack - view->stacks);
	COLUMN("bytes", stack->bytes);
	COLUMN("blocks", stack->blocks);
	COLUMN("sampled", stack->sampled);
	COLUMN("oldest", stack->oldest_ns / 100000000);
	COLUMN("median", stack->median_ns / 100000000);
	COLUMN("growth_bytes", stack->growth_bytes);
	COLUMN("per_minute", view_growth_per_minute(view, stack));
	COLUMN("before_bytes", stack->before_bytes);
	COLUMN("before_blocks", stack->before_blocks);
	COLUMN("pid", stack->pid);
	COLUMN("tid", stack->tid);
	COLUMN("comm", text_number(stacks, stack->comm));
	COLUMN("reports", stack->n_history);
	COLUMN("stop", text_number(stacks, stack->stop) + 1);
#undef COLUMN
	fputs("},\n", out);
}

static void print_line(FILE *out, const struct view_stack *stack, size_t step)
{
	char digits[HTML_MAX_POINTS];
	size_t n = (stack->n_history + step - 1) / step;
	bool equal = true;
	uint64_t most = 1;

	for (size_t i = 0; i < stack->n_history; i++)
		most = stack->history[i] > most ? stack->history[i] : most;
	for (size_t i = 0; i < n; i++) {
		uint64_t bytes = stack->history[stack->n_history - 1 - i * step];

		digits[n - 1 - i] = script_digit((unsigned int)((double)bytes / (double)most * 63));
		equal = equal && digits[n - 1 - i] == digits[n - 1];
	}
	fprintf(out, "\"%.*s\"", (int)(equal && n ? 1 : n), digits);
}

static void print_history(FILE *out, const struct stacks *stacks)
{
	const struct view *view = stacks->view;
	size_t step = (view->n_reports + HTML_MAX_POINTS - 1) / HTML_MAX_POINTS;

	step = step ? step : 1;
	fprintf(out, "\"history_step\":%zu,\n\"history\":[", step);
	for (size_t i = 0; i < view->n_stacks; i++) {
		fputs(i ? "," : "", out);
		print_line(out, &view->stacks[stacks->order[i]], step);
	}
	fputs("]", out);
}

int html_stacks_print(FILE *out, const struct view *view)
{
	struct stacks stacks = {.view = view};
	int err = number_all(&stacks);

	if (!err)
		err = print_frames(out, &stacks);
	if (!err) {
		print_paths(out, &stacks);
		print_texts(out, "texts", &stacks.texts);
		print_columns(out, &stacks);
		print_history(out, &stacks);
	}
	numbering_free(&stacks.files);
	numbering_free(&stacks.functions);
	numbering_free(&stacks.frames);
	numbering_free(&stacks.texts);
	free(stacks.paths);
	free(stacks.starts);
	free(stacks.order);
	free(stacks.numbers);
	return err;
}
