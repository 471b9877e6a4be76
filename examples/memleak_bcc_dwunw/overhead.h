/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --max-overhead: what is done to keep the probes' cost to the traced processes under a limit. First fewer allocations are recorded
 * (a call that is not recorded costs its traps alone); where the traps cost too much, the probes of allocations are there part of the
 * time; and where frees alone cost too much, theirs too. Pure: measurements go in, decisions come out.
 */
#ifndef OVERHEAD_H
#define OVERHEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "sampling.h"

/* What a call costs, ns: measured. */
struct overhead_costs {
	double call;	/* entry and return of an allocation that is not recorded */
	double free;	/* entry of a free of an unknown block */
	double stepped; /* besides, where the probed instruction has to be single-stepped */
};

/*
 * Shares of the time of one CPU while all probes are there; what putting them there and taking them away costs is in it. A program that
 * is held up less by its allocations frees more often: `away_ratio` is how many times `steady` is then, 1 where that is not known.
 */
struct overhead_load {
	double calls;  /* by probes that can go without harm to blocks that are stored */
	double steady; /* by those of frees and reallocations */
	double work;   /* walks and stores of what is recorded, under the step in force */
	double away_ratio;
};

struct overhead_plan {
	struct sampling_step step;
	bool frees_go; /* with the probes of allocations, when these are away */
};

/*
 * From the plan in force while `load` was measured to the next one: the finest that is expected to stay under `limit` (a share of a CPU).
 * Finer than it is now only with some room, so that it does not swing.
 */
struct overhead_plan overhead_decide(const struct overhead_load *load, double limit,
				     struct overhead_plan now);

bool overhead_equal(struct overhead_plan a, struct overhead_plan b);
/* `plan` differs from `now` and records nothing less. */
bool overhead_only_finer(struct overhead_plan plan, struct overhead_plan now);

/* The share of a CPU that is expected under `plan`; `load` was measured under `now`. */
double overhead_expected(const struct overhead_load *load, struct overhead_plan now,
			 struct overhead_plan plan);

/*
 * What the probes have to be away for after they were there for `there_ns`, in `recorded_ns` of which calls were recorded, so that calls are
 * recorded in as much of the time as the step says; below 0 where they were there for too long.
 */
double overhead_owed_ns(uint64_t recorded_ns, uint64_t there_ns, unsigned int rarer);

/*
 * How long they stay away, with so much owed: at random, so that nothing in the program can keep step with it. What is left, or was too
 * much, is owed the next time. `random`: 32 bits.
 */
uint64_t overhead_away_ns(double owed_ns, uint32_t random);

#endif
