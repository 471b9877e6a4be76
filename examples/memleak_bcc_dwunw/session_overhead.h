/* SPDX-License-Identifier: BSD-2-Clause */
/* --max-overhead in a session: measures each second, and acts on what overhead.h decides. Private to session*.c. */
#ifndef SESSION_OVERHEAD_H
#define SESSION_OVERHEAD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "overhead.h"

struct session;

/* What the probes did, ns since the start. */
struct leash_sum {
	double calls, steady, work;
	uint64_t n; /* calls of both kinds */
};

struct leash {
	struct overhead_costs costs;
	struct overhead_plan plan;
	unsigned int finer_looks;
	bool estimates;	      /* the plan was not always to record everything */
	bool decided;	      /* at least once */
	double expected;      /* share of a CPU, under the plan, as of the last decision */
	bool away;	      /* the probes are, for a while */
	bool frees_away;      /* those of frees as well */
	int64_t due_ms;	      /* next look */
	uint64_t there_ns;    /* since then the probes are there, or are away */
	uint64_t recorded_ns; /* since then calls are recorded */
	struct leash_sum sum; /* as of there_ns */
	double leaving;	     /* what the calls seen while the probes went cost, ns; the last time */
	double away_ratio;   /* struct overhead_load */
	double steady;	     /* share of a CPU, as of the last decision */
	double owed_ns;	     /* the probes are to be away for that yet */
	unsigned int raises; /* looks in a row that found too little done */
	/* Blocks from before that are doubtful: frees went unseen. 0: never. */
	uint64_t verified_since_ns;
	time_t verified_since, unseen_since;
	uint64_t doubtful_bytes, doubtful_blocks; /* in the last snapshot */
};

/* After loading, before anything is attached to a target; the reason of a failure is printed. */
int leash_start(struct session *session);
/* When leash_look() is to be called next, CLOCK_MONOTONIC; INT64_MAX: never. */
int64_t leash_due_ms(const struct session *session);
void leash_look(struct session *session);
/* What the report does not show, or shows with doubt. */
void leash_print_doubts(FILE *out, const struct session *session);
/* The same as messages. */
void leash_tell_doubts(const struct session *session);

#endif
