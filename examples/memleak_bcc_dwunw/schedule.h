/* SPDX-License-Identifier: BSD-2-Clause */
/* When reports are due, when the run is over, and when to look in between. Pure: times come from the caller, in milliseconds. */
#ifndef SCHEDULE_H
#define SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

enum due {
	DUE_NOTHING,
	DUE_CHECK,
	DUE_REPORT,
	DUE_LAST_REPORT, /* of INTERVALS, or the end of --duration */
};

struct schedule {
	int64_t interval_ms, next_ms;
	int64_t end_ms;		/* INT64_MAX: no limit */
	int64_t check_ms;	/* INT64_MAX: no checks */
	unsigned int n_reports; /* that are left; 0: endless */
};

/* `n_reports` and `duration_s`: 0: endless. `checks`: the first is due at once. */
void schedule_begin(struct schedule *schedule, unsigned int interval_s, unsigned int n_reports,
		    unsigned int duration_s, bool checks, int64_t now_ms);

/* The earliest time at which something is due. */
int64_t schedule_deadline(const struct schedule *schedule);

enum due schedule_due(const struct schedule *schedule, int64_t now_ms);

/* A report that was due has been made, by now: beats that it took are left out. */
void schedule_reported(struct schedule *schedule, int64_t now_ms);

/* A check took `cost_ms` of CPU time: the next is so far away that all of them take less than one part in twenty of the time, and at most ten are made in a second. */
void schedule_checked(struct schedule *schedule, int64_t now_ms, int64_t cost_ms);

/* A report that was only shown took `cost_ms` of CPU time: the next one is as far away as a check would be. */
void schedule_rest(struct schedule *schedule, int64_t now_ms, int64_t cost_ms);

#endif
