/* SPDX-License-Identifier: BSD-2-Clause */
/* What a sampled block stands for. Pure. */
#ifndef SAMPLING_H
#define SAMPLING_H

#include <stdint.h>

#include "sampling_format.h"

/*
 * A step of sampling, as is stored with a block: the interval is that asked for, times 2^coarser; and, where the probes are away
 * part of the time, calls are seen with the probability 2^(-rarer/2).
 */
struct sampling_step {
	unsigned int coarser; /* 0..SAMPLING_MAX_COARSER */
	unsigned int rarer;   /* 0..SAMPLING_MAX_RARER */
};

#define SAMPLING_MAX_COARSER 14 /* with MAX_RARER: not SAMPLING_EXEMPT */
#define SAMPLING_MAX_RARER 15

struct sampling {
	enum sampling_mode mode;
	uint64_t interval; /* asked for: calls or bytes; 1 call: every one */
};

/* For sampling_setting of the BPF programs. */
uint64_t sampling_setting(const struct sampling *sampling, struct sampling_step step);

/* The share of time in which calls are seen, above 0 to 1. */
double sampling_duty(unsigned int rarer);

/*
 * How many blocks one stands for besides itself: 1 / p - 1, where p is the probability with which a block of `size` bytes is
 * stored under the step `number`.
 */
double sampling_besides(const struct sampling *sampling, unsigned int number, uint64_t size);

#endif
