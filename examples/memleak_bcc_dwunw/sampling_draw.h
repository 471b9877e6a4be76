/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which allocations of a thread are sampled: arithmetic alone, so that BPF programs and unit tests compile the same. In BPF programs
 * vmlinux.h comes first.
 */
#ifndef SAMPLING_DRAW_H
#define SAMPLING_DRAW_H

#ifndef __bpf__
#include <stdbool.h>
#endif

#include "sampling_format.h"

/* Of one thread. Zero: to be begun. */
struct sampler {
	__u64 setting; /* that the rest was drawn under; another one: drawn anew */
	__u64 left; /* calls: until the end of this run of an interval's length; bytes: until the next sampled one */
	__u64 pick; /* calls: the value of `left` at which one is sampled */
};

/*
 * -log2(random / 2^32), scaled by 2^32, of a random number that is not 0: one binary digit of the logarithm is whether the square of
 * the mantissa reaches 2.
 */
static inline __u64 sampling_minus_log2(__u32 random)
{
	__u64 mantissa = random, fraction = 0;
	__u32 zeros = 0;

	for (__u32 width = 16; width; width /= 2) { /* to [2^31, 2^32) */
		__u32 is_small = !(mantissa >> (32 - width));

		mantissa <<= is_small * width;
		zeros += is_small * width;
	}
	for (int i = 0; i < 32; i++) {
		__u64 carry;

		mantissa = mantissa * mantissa >> 31;
		carry = mantissa >> 32;
		mantissa >>= carry;
		fraction = fraction << 1 | carry;
	}
	return ((__u64)(zeros + 1) << 32) - fraction;
}

/*
 * Bytes up to and including the next sampled one, at least 1, where each is sampled with the probability 1 / `mean`: the
 * distance is exponential, so what is left of it after some bytes is so too.
 */
static inline __u64 sampling_distance(__u32 random, __u64 mean)
{
	const __u64 ln2 = 2977044472ULL; /* ln(2) * 2^32 */
	__u64 minus_log2 = sampling_minus_log2(random ? random : 1);
	/* 6 + 30 bits, 30 bits; mean at most 2^30: no product overflows */
	__u64 minus_ln = (minus_log2 >> 4) * (ln2 >> 4) >> 28; /* scaled by 2^28 */

	return (minus_ln * mean >> 28) + 1;
}

/* 32 random bits: the includer's. */
static inline __u32 sampling_random(void);

/* Whether this call, of `size` bytes, is sampled. */
static inline bool sampling_choose(struct sampler *sampler, enum sampling_mode mode, __u64 setting,
				   __u64 size)
{
	__u64 interval = setting & SAMPLING_INTERVAL_MASK;
	bool begins = sampler->setting != setting;

	sampler->setting = setting;
	if (mode == SAMPLING_CALLS) {
		if (begins || !sampler->left) {
			sampler->left = interval;
			sampler->pick = ((__u64)sampling_random() * interval >> 32) + 1;
		}
		return sampler->left-- == sampler->pick;
	}
	if (begins)
		sampler->left = sampling_distance(sampling_random(), interval);
	if (!size) /* an empty block counts as one byte: it must have a chance */
		size = 1;
	if (sampler->left > size) {
		sampler->left -= size;
		return false;
	}
	sampler->left = sampling_distance(sampling_random(), interval);
	return true;
}

#endif
