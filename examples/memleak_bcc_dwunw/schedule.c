/* SPDX-License-Identifier: BSD-2-Clause */
#include "schedule.h"

#define LEAST_BETWEEN_CHECKS_MS 100
#define LEAST_REST 40 /* times what a check took */

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

void schedule_begin(struct schedule *schedule, unsigned int interval_s, unsigned int n_reports,
		    unsigned int duration_s, bool checks, int64_t now_ms)
{
	int64_t interval_ms = (int64_t)interval_s * 1000;

	*schedule = (struct schedule){
		.interval_ms = interval_ms,
		.next_ms = now_ms + interval_ms,
		.end_ms = duration_s ? now_ms + (int64_t)duration_s * 1000 : INT64_MAX,
		.check_ms = checks ? now_ms : INT64_MAX,
		.n_reports = n_reports,
	};
}

int64_t schedule_deadline(const struct schedule *schedule)
{
	return earlier(earlier(schedule->next_ms, schedule->end_ms), schedule->check_ms);
}

enum due schedule_due(const struct schedule *schedule, int64_t now_ms)
{
	if (now_ms >= schedule->end_ms)
		return DUE_LAST_REPORT;
	if (now_ms >= schedule->next_ms)
		return schedule->n_reports == 1 ? DUE_LAST_REPORT : DUE_REPORT;
	return now_ms >= schedule->check_ms ? DUE_CHECK : DUE_NOTHING;
}

void schedule_reported(struct schedule *schedule, int64_t now_ms)
{
	schedule->next_ms += schedule->interval_ms;
	if (schedule->next_ms < now_ms)
		schedule->next_ms = now_ms;
	if (schedule->n_reports)
		schedule->n_reports--;
}

void schedule_checked(struct schedule *schedule, int64_t now_ms, int64_t cost_ms)
{
	int64_t rest = cost_ms * LEAST_REST;

	schedule->check_ms =
		now_ms + (rest > LEAST_BETWEEN_CHECKS_MS ? rest : LEAST_BETWEEN_CHECKS_MS);
}

void schedule_rest(struct schedule *schedule, int64_t now_ms, int64_t cost_ms)
{
	int64_t next_ms = now_ms + cost_ms * LEAST_REST;

	if (schedule->next_ms < next_ms)
		schedule->next_ms = next_ms;
}
