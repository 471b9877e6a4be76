/* SPDX-License-Identifier: BSD-2-Clause */
#include "overhead.h"

#include <math.h>

/* Shares of the limit: that is aimed at; under which a finer step is tried. */
#define AIM 0.8 /* what is measured in a loop is cheaper than in a program */
#define FINER 0.5
/* Recording costs at most this share of what the traps do, where these have to go part of the time. */
#define WORK_TO_TRAPS 0.125
/* Half of the time: coming and going needs some of the rest. */
#define LEAST_RARER 2

static double work_at(const struct overhead_load *load, unsigned int now, unsigned int coarser)
{
	return ldexp(load->work, (int)now - (int)coarser);
}

/* The finest step at which recording costs at most `most`; to one finer than now only with some room. */
static unsigned int coarser_for(const struct overhead_load *load, unsigned int now, double most)
{
	unsigned int coarser = 0;

	while (coarser < SAMPLING_MAX_COARSER &&
	       work_at(load, now, coarser) > (coarser < now ? most * FINER / AIM : most))
		coarser++;
	return coarser;
}

/* The most time with the probes that keeps within `share` of it; to more than now only with some room. */
static unsigned int rarer_for(double share, unsigned int now)
{
	double exact = share > 0 ? -2 * log2(share) : SAMPLING_MAX_RARER;
	double with_room = exact - 2 * log2(FINER / AIM);
	double wanted = ceil(exact) < now ? fmin(ceil(with_room), now) : ceil(exact);

	if (wanted < LEAST_RARER)
		return LEAST_RARER;
	return wanted < SAMPLING_MAX_RARER ? (unsigned int)wanted : SAMPLING_MAX_RARER;
}

struct overhead_plan overhead_decide(const struct overhead_load *load, double limit,
				     struct overhead_plan now)
{
	double traps = load->calls + load->steady, away = load->steady * load->away_ratio;
	double most, all;
	struct overhead_plan plan = {0};

	if (traps <= limit * (now.step.rarer ? FINER : AIM)) {
		most = limit * AIM - traps;
		plan.step.coarser = coarser_for(load, now.step.coarser, most);
		if (work_at(load, now.step.coarser, plan.step.coarser) <= most)
			return plan;
	}
	plan.step.coarser = coarser_for(load, now.step.coarser, traps * WORK_TO_TRAPS);
	all = traps + work_at(load, now.step.coarser, plan.step.coarser);
	/* frees stay where they leave at least a part of the limit to allocations */
	plan.frees_go = away > limit * (now.frees_go ? FINER : AIM) * 0.75;
	if (plan.frees_go)
		away = 0;
	/* duty * all + (1 - duty) * away = the limit */
	plan.step.rarer = rarer_for((limit * AIM - away) / fmax(all - away, limit * AIM - away),
				    now.step.rarer);
	return plan;
}

bool overhead_equal(struct overhead_plan a, struct overhead_plan b)
{
	return a.step.coarser == b.step.coarser && a.step.rarer == b.step.rarer &&
	       a.frees_go == b.frees_go;
}

bool overhead_only_finer(struct overhead_plan plan, struct overhead_plan now)
{
	return plan.step.coarser <= now.step.coarser && plan.step.rarer <= now.step.rarer &&
	       plan.frees_go <= now.frees_go && !overhead_equal(plan, now);
}

double overhead_expected(const struct overhead_load *load, struct overhead_plan now,
			 struct overhead_plan plan)
{
	double duty = sampling_duty(plan.step.rarer);
	double work = work_at(load, now.step.coarser, plan.step.coarser);
	double away = plan.frees_go ? 0 : load->steady * load->away_ratio;

	return duty * (load->calls + load->steady + work) + (1 - duty) * away;
}

double overhead_owed_ns(uint64_t recorded_ns, uint64_t there_ns, unsigned int rarer)
{
	return (double)recorded_ns / sampling_duty(rarer) - (double)there_ns;
}

uint64_t overhead_away_ns(double owed_ns, uint32_t random)
{
	return owed_ns > 0 ? (uint64_t)(owed_ns * (0.5 + (double)random / 0x1p32)) : 0;
}
