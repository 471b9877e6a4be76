/* SPDX-License-Identifier: BSD-2-Clause */
/* Timing of a function that is called many times. */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#define N_BURSTS 5 /* the figure is their median: one that the scheduler disturbed does not count */
#define BURST_NS 4000000

static inline uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static inline int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static inline double median(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare_doubles);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

static inline double burst(size_t (*fn)(void), unsigned int calls)
{
	uint64_t start = now_ns();

	for (unsigned int i = 0; i < calls; i++)
		fn();
	return (double)(now_ns() - start) / calls;
}

/* Nanoseconds of a call of `fn`, which has been called before. */
static inline double measure(size_t (*fn)(void))
{
	double values[N_BURSTS];
	unsigned int calls = (unsigned int)(BURST_NS / (burst(fn, 20) + 1)) + 1;

	for (size_t i = 0; i < N_BURSTS; i++)
		values[i] = burst(fn, calls);
	return median(values, N_BURSTS);
}

#endif
