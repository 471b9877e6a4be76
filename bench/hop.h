/* SPDX-License-Identifier: BSD-2-Clause */
/* A way through functions of several files, each of which calls the next. */
#ifndef BENCH_HOP_H
#define BENCH_HOP_H

struct hops {
	unsigned int next, n;
	void (**calls)(struct hops *hops);
};

void hop(struct hops *hops);

#endif
