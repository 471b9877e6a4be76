/* SPDX-License-Identifier: BSD-2-Clause */
#include "sampling.h"

#include <math.h>

static uint64_t interval_at(const struct sampling *sampling, unsigned int coarser)
{
	uint64_t most = sampling->mode == SAMPLING_BYTES ? SAMPLING_MAX_BYTES : SAMPLING_MAX_CALLS;

	return sampling->interval > most >> coarser ? most : sampling->interval << coarser;
}

uint64_t sampling_setting(const struct sampling *sampling, struct sampling_step step)
{
	uint64_t number = step.rarer << 4 | step.coarser;

	return number << SAMPLING_NUMBER_SHIFT | interval_at(sampling, step.coarser);
}

double sampling_duty(unsigned int rarer)
{
	return exp2(-(double)rarer / 2);
}

double sampling_besides(const struct sampling *sampling, unsigned int number, uint64_t size)
{
	double interval, chosen = 1;

	if (sampling->mode == SAMPLING_NONE || number == SAMPLING_EXEMPT)
		return 0;
	interval = (double)interval_at(sampling, number & 0xf);
	if (sampling->mode == SAMPLING_CALLS)
		chosen = 1 / interval;
	else
		chosen = -expm1(-(double)(size ? size : 1) / interval);
	return 1 / (chosen * sampling_duty(number >> 4)) - 1;
}
