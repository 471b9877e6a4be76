/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What BPF programs and user space share of sampling. In BPF programs vmlinux.h comes first. */
#ifndef SAMPLING_FORMAT_H
#define SAMPLING_FORMAT_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/* How allocations are chosen; set once. */
enum sampling_mode {
	SAMPLING_NONE,	/* every one */
	SAMPLING_CALLS, /* one of every so many calls of a thread, at random among them */
	SAMPLING_BYTES, /* each byte with the same probability; a block if one of its bytes is */
};

/*
 * The setting in force, one word because user space changes it under running probes: the interval (calls or bytes; its mean), and a
 * number that is stored with each block that it chose, so that user space knows with what probability that was.
 */
#define SAMPLING_NUMBER_SHIFT 56
#define SAMPLING_INTERVAL_MASK ((1ULL << SAMPLING_NUMBER_SHIFT) - 1)
/* The number of a block that is recorded whatever the setting, and stands for itself alone. */
#define SAMPLING_EXEMPT 0xff
/* Limits that keep the arithmetic exact: a drawn distance is right to 2^-26 of the interval. */
#define SAMPLING_MAX_CALLS 0xffffffffULL
#define SAMPLING_MAX_BYTES (1ULL << 30)

#endif
