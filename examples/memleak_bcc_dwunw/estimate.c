/* SPDX-License-Identifier: BSD-2-Clause */
#include "estimate.h"

#include <math.h>

void estimate_add(struct estimate *sum, uint64_t size, double besides)
{
	double bytes = (double)size;

	sum->bytes += bytes * besides;
	sum->blocks += besides;
	/* stored with the probability p, weight w = 1 / p = 1 + besides: (1 - p) / p^2 = w * (w - 1) */
	sum->variance += bytes * bytes * (1 + besides) * besides;
	sum->n_sampled++;
}

void estimate_add_sum(struct estimate *sum, const struct estimate *other)
{
	sum->bytes += other->bytes;
	sum->blocks += other->blocks;
	sum->variance += other->variance;
	sum->n_sampled += other->n_sampled;
}

uint64_t estimate_total(uint64_t exact, double besides)
{
	uint64_t more, total;

	if (besides >= 0x1p64)
		return UINT64_MAX;
	more = (uint64_t)(besides + 0.5);
	return __builtin_add_overflow(exact, more, &total) ? UINT64_MAX : total;
}

double estimate_error_percent(const struct estimate *sum, uint64_t bytes)
{
	return bytes ? 100 * sqrt(sum->variance) / (double)bytes : 0;
}
