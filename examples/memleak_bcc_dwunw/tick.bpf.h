/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The time, read from the clock once a timer tick: reading it for each block costs as much as storing the block. */
#ifndef TICK_BPF_H
#define TICK_BPF_H

#include <bpf/bpf_helpers.h>

#define TICK_CHANGES ~0ULL

const volatile bool exact_times; /* not by ticks: times decide whose blocks they are */

struct {
	__u64 jiffies; /* of which `ns` is; TICK_CHANGES */
	__u64 ns;
} tick;

/* CLOCK_MONOTONIC, up to a tick (1 to 10 ms) too early. */
static __always_inline __u64 tick_ns(void)
{
	__u64 now, of, ns;

	if (exact_times)
		return bpf_ktime_get_ns();
	now = bpf_jiffies64();
	of = *(volatile __u64 *)&tick.jiffies;
	if (of == now)
		return *(volatile __u64 *)&tick.ns; /* or that of a later tick */
	ns = bpf_ktime_get_ns();
	/* one writes both; who finds it at that, or was held up since, changes nothing */
	if (of != TICK_CHANGES &&
	    __sync_val_compare_and_swap(&tick.jiffies, of, TICK_CHANGES) == of) {
		*(volatile __u64 *)&tick.ns = ns;
		__sync_val_compare_and_swap(&tick.jiffies, TICK_CHANGES, now);
	}
	return ns;
}

#endif
