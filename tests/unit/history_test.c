/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves: over random reports in which stacks come, go and come again, histories are those of a naive record, of 60 reports at most; a
 * second view of one report changes nothing; a view keeps its own when the next report comes; stacks past the bound are counted; the
 * growth by the minute is that of the history.
 */
#include "output/history.h"

#include <stdlib.h>
#include <string.h>

#include "../test.h"
#include "output/view.h"

#define STACKS 40
#define REPORTS 150
#define MINUTE 60000000000ULL

static struct view *view_of(size_t n_stacks, uint64_t elapsed_ns)
{
	struct view *view = calloc(1, sizeof(*view));

	if (!view)
		abort();
	view->elapsed_ns = elapsed_ns;
	view->stacks = calloc(n_stacks + 1, sizeof(*view->stacks));
	if (!view->stacks)
		abort();
	return view;
}

static struct history *history_of(void)
{
	struct history *history;

	if (history_create(&history))
		abort();
	return history;
}

/* What stack `i` held at each report; 0: it was not there. */
static uint64_t record[STACKS][REPORTS];

static struct view *view_at(size_t report)
{
	struct view *view = view_of(STACKS, (report + 1) * MINUTE);

	view->bytes = report + 1;
	for (size_t i = 0; i < STACKS; i++) {
		size_t stack = (i + report) % STACKS; /* the order is another one each time */

		if (record[stack][report])
			view->stacks[view->n_stacks++] = (struct view_stack){
				.identity = stack / 2,
				.pid = (uint32_t)(stack % 2),
				.bytes = record[stack][report],
			};
	}
	return view;
}

static bool is_right(const struct view_stack *stack, size_t report)
{
	const uint64_t *numbers = record[stack->identity * 2 + stack->pid];
	size_t n = 0;

	while (n < HISTORY_MAX_REPORTS && n <= report && numbers[report - n])
		n++;
	return stack->n_history == n &&
	       memcmp(stack->history, numbers + report + 1 - n, n * sizeof(numbers[0])) == 0;
}

static size_t count_wrong(const struct view *view, size_t report)
{
	size_t n = report + 1 < HISTORY_MAX_REPORTS ? report + 1 : HISTORY_MAX_REPORTS, wrong = 0;

	for (size_t i = 0; i < view->n_stacks; i++)
		wrong += !is_right(&view->stacks[i], report);
	wrong += view->n_reports != n;
	for (size_t i = 0; i < view->n_reports; i++)
		wrong += view->reports[i].elapsed_ns != (report + 2 - n + i) * MINUTE ||
			 view->reports[i].bytes != report + 2 - n + i;
	return wrong;
}

static void test_random(void)
{
	struct history *history = history_of();
	struct view *last = NULL;
	size_t wrong = 0;

	srandom(1);
	for (size_t stack = 0; stack < STACKS; stack++)
		for (size_t report = 0; report < REPORTS; report++)
			record[stack][report] = random() % (stack + 2)
							? (uint64_t)random()
							: 0; /* some are seldom away */
	for (size_t report = 0; report < REPORTS; report++) {
		struct view *view = view_at(report), *again = view_at(report);

		CHECK(history_add(history, view) == 0);
		wrong += count_wrong(view, report);
		CHECK(history_add(history, again) == 0);
		wrong += count_wrong(again, report);
		if (last)
			wrong += count_wrong(last, report - 1);
		view_free(last);
		view_free(again);
		last = view;
	}
	CHECK(wrong == 0);
	history_free(history);
	CHECK(count_wrong(last, REPORTS - 1) == 0);
	view_free(last);
}

static void test_bound(void)
{
	struct history *history = history_of();

	for (uint64_t report = 1; report <= 2; report++) {
		struct view *view = view_of(HISTORY_MAX_STACKS + 5, report);

		view->n_stacks = HISTORY_MAX_STACKS + 5;
		for (size_t i = 0; i < view->n_stacks; i++)
			view->stacks[i] = (struct view_stack){.identity = i, .bytes = i};
		CHECK(history_add(history, view) == 5);
		CHECK(view->stacks[HISTORY_MAX_STACKS - 1].n_history == report);
		CHECK(view->stacks[HISTORY_MAX_STACKS].n_history == 0);
		view_free(view);
	}
	history_free(history);
}

static void test_growth(void)
{
	static const struct {
		uint64_t bytes;
		int64_t per_minute;
	} reports[] = {{600, 600}, {600, 0}, {1200, 300}, {0, -200}};
	struct history *history = history_of();

	for (size_t i = 0; i < sizeof(reports) / sizeof(reports[0]); i++) {
		struct view *view = view_of(2, (i + 1) * MINUTE);

		view->n_stacks = i == 2 ? 2 : 1;
		view->stacks[0].bytes = reports[i].bytes;
		view->stacks[1] = (struct view_stack){.identity = 1, .bytes = 50};
		CHECK(history_add(history, view) == 0);
		CHECK(view_growth_per_minute(view, &view->stacks[0]) == reports[i].per_minute);
		if (i == 2) /* it held nothing in the first report */
			CHECK(view_growth_per_minute(view, &view->stacks[1]) == 25);
		view_free(view);
	}
	history_free(history);
}

int main(void)
{
	test_random();
	test_bound();
	test_growth();
	return test_end();
}
