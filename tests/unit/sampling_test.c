/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves: the distances between sampled bytes are those of the exponential distribution as libm computes it, over all of
 * their range; calls and bytes are chosen with the probabilities that user space weighs their blocks by, also where the interval changes
 * all the time and where calls are few; sums over sampled blocks are unbiased, with the error that is told. Random numbers have a fixed seed.
 */
#include <math.h>
#include <stdint.h>

#include "estimate.h"
#include "sampling.h"
#include "sampling_draw.h"
#include "../test.h"

#define SIGMAS 6

static uint64_t state = 1;

/* splitmix64 (Steele, Lea, Flood 2014). */
static inline __u32 sampling_random(void)
{
	uint64_t z = (state += 0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (uint32_t)((z ^ (z >> 31)) >> 32);
}

static void test_distance(void)
{
	static const uint64_t means[] = {1, 2, 1000, 512 << 10, SAMPLING_MAX_BYTES};
	double worst = 0;

	for (size_t i = 0; i < sizeof(means) / sizeof(means[0]); i++) {
		for (uint64_t random = 1; random < UINT32_MAX; random += random / 1000 + 1) {
			double exact = -log((double)random / 0x1p32) * (double)means[i];
			uint64_t distance = sampling_distance((uint32_t)random, means[i]);
			double off = fabs((double)distance - 0.5 - exact) - 0.5; /* floor, plus 1 */

			worst = fmax(worst, off / ((double)means[i] + exact));
			if (random > UINT32_MAX - 1000000)
				random += 1000;
		}
	}
	CHECK(worst < 0x1p-26);
	CHECK(sampling_distance(UINT32_MAX, SAMPLING_MAX_BYTES) <=
	      2 + SAMPLING_MAX_BYTES / (1 << 26));
	CHECK(sampling_distance(0, 1000) == sampling_distance(1, 1000));
	CHECK(sampling_distance(1, SAMPLING_MAX_BYTES) < 23 * SAMPLING_MAX_BYTES);
}

/* How many of `n` calls of `size` bytes are chosen, by threads of `length` calls each. */
static uint64_t chosen(const struct sampling *sampling, struct sampling_step step, uint64_t size,
		       uint64_t n, uint64_t length)
{
	uint64_t setting = sampling_setting(sampling, step), hits = 0;
	struct sampler sampler = {0};

	for (uint64_t i = 0; i < n; i++) {
		if (i % length == 0)
			sampler = (struct sampler){0};
		hits += sampling_choose(&sampler, sampling->mode, setting, size);
	}
	return hits;
}

static bool as_expected(uint64_t hits, uint64_t n, double p)
{
	return fabs((double)hits - (double)n * p) <= SIGMAS * sqrt((double)n * p * (1 - p)) + 1e-9;
}

/* The probability that the weight says. */
static double probability(const struct sampling *sampling, struct sampling_step step, uint64_t size)
{
	unsigned int number =
		(unsigned int)(sampling_setting(sampling, step) >> SAMPLING_NUMBER_SHIFT);

	return 1 / (1 + sampling_besides(sampling, number, size));
}

static void test_probabilities(void)
{
	static const struct sampling ways[] = {{SAMPLING_CALLS, 1},    {SAMPLING_CALLS, 7},
					       {SAMPLING_CALLS, 1000}, {SAMPLING_BYTES, 1},
					       {SAMPLING_BYTES, 100},  {SAMPLING_BYTES, 4096}};
	static const uint64_t sizes[] = {0, 1, 24, 100, 5000};
	const uint64_t n = 300000;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		for (size_t j = 0; j < sizeof(sizes) / sizeof(sizes[0]); j++) {
			struct sampling_step finest = {0}, coarser = {.coarser = 3};
			double p = probability(&ways[i], finest, sizes[j]);

			CHECK(as_expected(chosen(&ways[i], finest, sizes[j], n, n), n, p));
			CHECK(as_expected(chosen(&ways[i], finest, sizes[j], n, 3), n, p));
			p = probability(&ways[i], coarser, sizes[j]);
			CHECK(as_expected(chosen(&ways[i], coarser, sizes[j], n, n), n, p));
		}
	}
	/* one of every so many calls, exactly */
	CHECK(chosen(&ways[2], (struct sampling_step){0}, 8, n, n) == n / 1000);
}

/* The interval changes after a few calls, of sizes that change as well: what is estimated is the truth nevertheless. */
static void test_estimate(enum sampling_mode mode, uint64_t interval)
{
	const struct sampling sampling = {mode, interval};
	struct estimate sum = {0};
	struct sampler sampler = {0};
	uint64_t stored = 0, blocks = 0, truth = 0, n = 400000;
	double variance = 0;

	for (uint64_t i = 0; i < n; i++) {
		const struct sampling_step step = {.coarser = i / 5 % 4};
		uint64_t setting = sampling_setting(&sampling, step), size = 16 + i * i % 3001;
		double p = probability(&sampling, step, size);

		truth += size;
		variance += (double)(size * size) * (1 - p) / p;
		if (!sampling_choose(&sampler, mode, setting, size))
			continue;
		stored += size;
		blocks++;
		estimate_add(&sum, size,
			     sampling_besides(&sampling,
					      (unsigned int)(setting >> SAMPLING_NUMBER_SHIFT),
					      size));
	}
	stored = estimate_total(stored, sum.bytes);
	CHECK(fabs((double)stored - (double)truth) < SIGMAS * sqrt(variance));
	CHECK(fabs((double)estimate_total(blocks, sum.blocks) - (double)n) < 0.1 * (double)n);
	CHECK(sum.n_sampled == blocks && blocks < n / 4);
	CHECK(fabs(sum.variance / variance - 1) < 0.2);
	CHECK(fabs(estimate_error_percent(&sum, truth) - 100 * sqrt(variance) / (double)truth) <
	      0.1 * estimate_error_percent(&sum, truth));
}

static void test_weights(void)
{
	struct estimate sum = {0};
	const struct sampling none = {SAMPLING_NONE, 1}, calls = {SAMPLING_CALLS, 10},
			      bytes = {SAMPLING_BYTES, SAMPLING_MAX_BYTES};

	CHECK(sampling_besides(&none, 0, 10) == 0);
	CHECK(fabs(sampling_besides(&calls, 0, 10) - 9) < 1e-9);
	CHECK(fabs(sampling_besides(&calls, 2, 10) - 39) < 1e-9);
	CHECK(fabs(sampling_besides(&calls, 4 << 4 | 1, 10) - 79) <
	      1e-9); /* seen 1/4 of the time */
	CHECK(sampling_besides(&calls, SAMPLING_EXEMPT, 10) == 0);
	CHECK(sampling_setting(&calls,
			       (struct sampling_step){SAMPLING_MAX_COARSER, SAMPLING_MAX_RARER}) >>
		      SAMPLING_NUMBER_SHIFT !=
	      SAMPLING_EXEMPT);
	CHECK(sampling_duty(0) == 1 && sampling_duty(2) == 0.5);
	/* the limits of the BPF side hold for every step */
	CHECK((sampling_setting(&bytes, (struct sampling_step){.coarser = SAMPLING_MAX_COARSER}) &
	       SAMPLING_INTERVAL_MASK) == SAMPLING_MAX_BYTES);
	CHECK((sampling_setting(&(struct sampling){SAMPLING_CALLS, UINT32_MAX},
				(struct sampling_step){.coarser = SAMPLING_MAX_COARSER}) &
	       SAMPLING_INTERVAL_MASK) == SAMPLING_MAX_CALLS);
	CHECK(estimate_total(5, 1e30) == UINT64_MAX && estimate_total(UINT64_MAX, 1) == UINT64_MAX);
	CHECK(estimate_total(5, 0) == 5 && estimate_total(5, 2.6) == 8);
	CHECK(estimate_error_percent(&(struct estimate){0}, 0) == 0);
	estimate_add(&sum, 10, 1); /* of two blocks one is seen */
	CHECK(sum.bytes == 10 && sum.blocks == 1 && sum.n_sampled == 1 && sum.variance == 200);
}

int main(void)
{
	test_distance();
	test_probabilities();
	test_estimate(SAMPLING_CALLS, 10);
	test_estimate(SAMPLING_BYTES, 20000);
	test_weights();
	return test_end();
}
