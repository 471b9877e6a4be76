/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Totals over sampled blocks: each stands for 1 + `besides` blocks like it (Horvitz and Thompson), so sums are right on average,
 * whatever is allocated. Their standard error is estimated from the same blocks. Pure.
 */
#ifndef ESTIMATE_H
#define ESTIMATE_H

#include <stdint.h>

struct estimate {
	double bytes, blocks; /* that the sampled blocks stand for besides themselves */
	double variance;      /* of the bytes */
	uint64_t n_sampled; /* blocks that were added, also those that stand for themselves alone */
};

void estimate_add(struct estimate *sum, uint64_t size, double besides);
void estimate_add_sum(struct estimate *sum, const struct estimate *other);

/* `exact` and what is estimated besides, rounded, at most UINT64_MAX. */
uint64_t estimate_total(uint64_t exact, double besides);

/* The standard error of the bytes, `bytes` being their total, in percent; 0 where all of it was sampled. */
double estimate_error_percent(const struct estimate *sum, uint64_t bytes);

#endif
