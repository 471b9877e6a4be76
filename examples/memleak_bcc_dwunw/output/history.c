/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/history.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "output/numbering.h"
#include "output/view.h"

struct row {
	uint64_t numbers[HISTORY_MAX_REPORTS]; /* the last n are in use, this report's last */
	size_t n;
	size_t start; /* in a view's histories */
};

struct rows {
	struct numbering stacks;
	struct row *rows; /* by number of their stack */
};

struct history {
	struct rows rows;
	struct view_report reports[HISTORY_MAX_REPORTS];
	size_t n_reports;
};

int history_create(struct history **ret)
{
	struct history *history = calloc(1, sizeof(*history));

	if (!history)
		return -ENOMEM;
	*ret = history;
	return 0;
}

static void free_rows(struct rows *rows)
{
	numbering_free(&rows->stacks);
	free(rows->rows);
}

void history_free(struct history *history)
{
	if (!history)
		return;
	free_rows(&history->rows);
	free(history);
}

static struct numbering_key key_of(const struct view_stack *stack)
{
	return (struct numbering_key){{stack->pid, stack->identity}};
}

/* What it was, one report later. */
static void move_on(struct row *row, const struct row *last, uint64_t bytes)
{
	size_t n = last ? last->n : 0;

	if (n == HISTORY_MAX_REPORTS)
		n--;
	row->n = n + 1;
	if (n)
		memcpy(row->numbers + HISTORY_MAX_REPORTS - row->n,
		       last->numbers + HISTORY_MAX_REPORTS - n, n * sizeof(row->numbers[0]));
	row->numbers[HISTORY_MAX_REPORTS - 1] = bytes;
}

static int make_rows(const struct rows *last, const struct view *view, struct rows *ret)
{
	size_t n = view->n_stacks < HISTORY_MAX_STACKS ? view->n_stacks : HISTORY_MAX_STACKS;
	struct rows rows = {.rows = malloc((n + 1) * sizeof(*rows.rows))};

	if (!rows.rows)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct numbering_key key = key_of(&view->stacks[i]);
		uint32_t now, before;

		if (numbering_find(&rows.stacks, &key, &now)) {
			free_rows(&rows);
			return -ENOMEM;
		}
		move_on(&rows.rows[now],
			numbering_look(&last->stacks, &key, &before) ? NULL : &last->rows[before],
			view->stacks[i].bytes);
	}
	*ret = rows;
	return 0;
}

static int add_report(struct history *history, const struct view *view)
{
	struct rows rows;
	int err = make_rows(&history->rows, view, &rows);

	if (err)
		return err;
	free_rows(&history->rows);
	history->rows = rows;
	if (history->n_reports == HISTORY_MAX_REPORTS)
		memmove(history->reports, history->reports + 1,
			--history->n_reports * sizeof(history->reports[0]));
	history->reports[history->n_reports++] =
		(struct view_report){view->elapsed_ns, view->bytes};
	return 0;
}

/* Copies all rows, one behind the other. */
static int give_rows(struct history *history, struct view *view)
{
	size_t total = 0, n_rows = history->rows.stacks.n;

	for (size_t i = 0; i < n_rows; i++) {
		history->rows.rows[i].start = total;
		total += history->rows.rows[i].n;
	}
	view->histories = calloc(total + 1, sizeof(*view->histories));
	view->reports = calloc(HISTORY_MAX_REPORTS, sizeof(*view->reports));
	if (!view->histories || !view->reports)
		return -ENOMEM;
	for (size_t i = 0; i < n_rows; i++) {
		const struct row *row = &history->rows.rows[i];

		memcpy(view->histories + row->start, row->numbers + HISTORY_MAX_REPORTS - row->n,
		       row->n * sizeof(row->numbers[0]));
	}
	view->n_reports = history->n_reports;
	memcpy(view->reports, history->reports, history->n_reports * sizeof(view->reports[0]));
	return 0;
}

static int give(struct history *history, struct view *view)
{
	int without = 0, err = give_rows(history, view);

	if (err)
		return err;
	for (size_t i = 0; i < view->n_stacks; i++) {
		struct view_stack *stack = &view->stacks[i];
		const struct numbering_key key = key_of(stack);
		uint32_t number;

		if (numbering_look(&history->rows.stacks, &key, &number)) {
			without++;
			continue;
		}
		stack->history = view->histories + history->rows.rows[number].start;
		stack->n_history = history->rows.rows[number].n;
	}
	return without;
}

int history_add(struct history *history, struct view *view)
{
	size_t n = history->n_reports;
	int err = 0;

	if (!n || history->reports[n - 1].elapsed_ns != view->elapsed_ns)
		err = add_report(history, view);
	return err ? err : give(history, view);
}
