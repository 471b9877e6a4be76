/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves, of --max-overhead: for loads from nothing to many CPUs, the plan is expected to stay under the limit, or is the coarsest
 * there is; nothing is given up that need not be; under a load that does not change the plan settles within a few steps; and the
 * time with the probes is, over many windows, the share by which blocks are weighed.
 */
#include <math.h>
#include <stdlib.h>

#include "../test.h"
#include "overhead.h"

/* The load as it would be measured under `plan`, of one whose recording costs `work` when everything is recorded. */
static struct overhead_load measured(double calls, double steady, double work,
				     struct overhead_plan plan)
{
	return (struct overhead_load){calls, steady, ldexp(work, -(int)plan.step.coarser), 1.5};
}

/* The plan after some seconds of a load. */
static struct overhead_plan settle(double calls, double steady, double work, double limit,
				   struct overhead_plan plan, bool *settled)
{
	for (int i = 0; i < 20; i++) {
		struct overhead_load load = measured(calls, steady, work, plan);

		plan = overhead_decide(&load, limit, plan);
	}
	for (int i = 0; i < 5; i++) {
		struct overhead_load load = measured(calls, steady, work, plan);
		struct overhead_plan next = overhead_decide(&load, limit, plan);

		*settled = *settled && overhead_equal(plan, next);
		plan = next;
	}
	return plan;
}

static void test_all_loads(void)
{
	const struct overhead_plan coarsest = {{SAMPLING_MAX_COARSER, SAMPLING_MAX_RARER}, true};
	bool under = true, settled = true, needed = true;

	for (double limit = 0.01; limit <= 1; limit *= 1.3)
		for (double calls = 1e-5; calls < 8; calls *= 1.7)
			for (double frees = 0.01; frees < 4; frees *= 2.3)
				for (double work = 0.1; work < 20; work *= 3) {
					struct overhead_plan none = {0}, plan;
					struct overhead_load all =
						measured(calls, calls * frees, calls * work, none);
					double full = overhead_expected(&all, none, none);

					plan = settle(all.calls, all.steady, all.work, limit,
						      rand() % 2 ? none : coarsest, &settled);
					under = under &&
						(overhead_expected(&all, none, plan) <= limit ||
						 plan.step.rarer == SAMPLING_MAX_RARER);
					/* what is far below the limit is not touched; traps far below it stay */
					if (full < 0.4 * limit)
						needed = needed && overhead_equal(plan, none);
					if (all.calls + all.steady < 0.3 * limit)
						needed = needed && !plan.step.rarer;
					if (all.steady < 0.24 * limit)
						needed = needed && !plan.frees_go;
				}
	CHECK(under);
	CHECK(settled);
	CHECK(needed);
}

static void test_steps(void)
{
	struct overhead_plan none = {0}, plan;

	/* 2 % traps, 30 % recording, of at most 10 %: an eighth of it is recorded */
	plan = overhead_decide(&(struct overhead_load){0.01, 0.01, 0.3, 1}, 0.1, none);
	CHECK(plan.step.coarser == 3 && !plan.step.rarer && !plan.frees_go);
	/* 20 % traps of allocations, 2 % of frees: the former are there part of the time */
	plan = overhead_decide(&(struct overhead_load){0.2, 0.02, 0, 1}, 0.1, none);
	CHECK(plan.step.rarer == 4 && !plan.frees_go); /* 0.02 + 0.2 / 4 */
	/* from less of the time only with some room: 1/4 would do, with none */
	plan = overhead_decide(&(struct overhead_load){0.2, 0.02, 0, 1}, 0.1,
			       (struct overhead_plan){{0, 5}, false});
	CHECK(plan.step.rarer == 5);
	/* frees alone are too much */
	plan = overhead_decide(&(struct overhead_load){0.2, 0.12, 0, 1}, 0.1, none);
	CHECK(plan.frees_go && plan.step.rarer == 4); /* 0.32 / 4 */
	/* nothing happens: all comes back */
	plan = overhead_decide(&(struct overhead_load){0, 0, 0, 1}, 0.1, plan);
	CHECK(overhead_equal(plan, none));
	plan = (struct overhead_plan){{1, 2}, false};
	CHECK(overhead_only_finer(none, plan) && !overhead_only_finer(plan, none));
	CHECK(!overhead_only_finer(plan, plan));
	CHECK(!overhead_only_finer((struct overhead_plan){{0, 3}, false}, plan));
}

/* Windows of different lengths, with probes that come and go slowly and a tool that is often late. */
static void test_away(void)
{
	unsigned int seed = 7;

	for (unsigned int rarer = 2; rarer <= SAMPLING_MAX_RARER; rarer++) {
		double recorded = 0, time = 0, owed = 0;
		bool varies = false;
		uint64_t last = 0;

		for (int i = 0; i < 5000; i++) {
			uint64_t on = 1000000000 + (uint64_t)rand_r(&seed) % 100000000;
			uint64_t there = on + (uint64_t)rand_r(&seed) % 400000000, away;

			owed += overhead_owed_ns(on, there, rarer);
			away = overhead_away_ns(owed, (uint32_t)rand_r(&seed) << 1);
			away += (uint64_t)rand_r(&seed) % 50000000;
			owed -= (double)away;
			recorded += (double)on;
			time += (double)(there + away);
			varies |= i > 0 && (away > last * 5 / 4 || away < last * 3 / 4);
			last = away;
		}
		CHECK(fabs(recorded / time / sampling_duty(rarer) - 1) < 0.001);
		CHECK(varies);
	}
	CHECK(overhead_away_ns(-5, 1) == 0);
	CHECK(overhead_owed_ns(1000, 1100, 2) == 900);
}

int main(void)
{
	test_all_loads();
	test_steps();
	test_away();
	return test_end();
}
