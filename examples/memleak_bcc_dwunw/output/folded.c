/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * .folded: a line for each stack, `process;outermost;...;innermost BYTES`, as flame graph tools read it (flamegraph.pl of
 * github.com/brendangregg/FlameGraph: what follows the last space is the value, or two values, of which the first is from before). Frames
 * are parted by semicolons.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "output/escape.h"
#include "output/frames.h"
#include "output/view.h"
#include "output/writers.h"

/* Digits behind a space at a name's end would be read as a value. */
static bool ends_like_value(const char *name)
{
	const char *space = strrchr(name, ' ');

	return space && space[1 + strspn(space + 1, "0123456789.")] == '\0';
}

/* `name` may be NULL: no memory. */
static int print_part(FILE *out, const char *name)
{
	char *text = name ? escape_name(name, ends_like_value(name) ? "; " : ";") : NULL;

	if (!text)
		return -ENOMEM;
	fputs(text, out);
	free(text);
	return 0;
}

/* The process; with its number where there are several. */
static int print_process(FILE *out, const struct view *view, const struct view_stack *stack)
{
	const char *comm = stack->comm;

	if (!stack->pid)
		return print_part(out, "kernel");
	for (size_t i = 0; i < view->n_processes; i++)
		if (view->processes[i].pid == stack->pid)
			comm = view->processes[i].comm;
	if (print_part(out, comm[0] ? comm : "[unknown]"))
		return -ENOMEM;
	if (view->n_processes > 1)
		fprintf(out, "-%u", stack->pid);
	return 0;
}

/* Where its outermost frames would be. */
static int print_stop(FILE *out, const struct view_stack *stack)
{
	char *part;
	int err;

	if (!stack->stop)
		return 0;
	if (asprintf(&part, "[incomplete: %s]", stack->stop) < 0)
		return -ENOMEM;
	putc(';', out);
	err = print_part(out, part);
	free(part);
	return err;
}

static int print_stack(FILE *out, const struct view *view, const struct view_stack *stack,
		       bool count)
{
	int err = print_process(out, view, stack);

	if (!err)
		err = print_stop(out, stack);
	for (size_t i = stack->n_frames; i > 0 && !err; i--) {
		char *name = frame_name(view, &stack->frames[i - 1]);

		putc(';', out);
		err = print_part(out, name);
		free(name);
	}
	if (view->compared)
		fprintf(out, " %" PRIu64, count ? stack->before_blocks : stack->before_bytes);
	fprintf(out, " %" PRIu64 "\n", count ? stack->blocks : stack->bytes);
	return err;
}

int output_write_folded(FILE *out, const struct view *view, const struct output_how *how)
{
	int err = 0;

	for (size_t i = 0; i < view->n_stacks && !err; i++)
		err = print_stack(out, view, &view->stacks[i], how->folded_count);
	return err;
}
