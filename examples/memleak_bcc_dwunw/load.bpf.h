/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* --max-overhead in memleak's probes: what they do is counted, and they may go and come back. Left out when off, by the kernel's verifier. */
#ifndef LOAD_BPF_H
#define LOAD_BPF_H

#include <bpf/bpf_helpers.h>

#include "load_format.h"

const volatile bool measure_load;

/* Set by user space while the probes run: how often they came back; frees went unseen since the start. */
__u32 probes_period;
bool frees_unseen;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct memleak_load);
} memleak_load SEC(".maps");

static __always_inline struct memleak_load *own_load(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&memleak_load, &zero);
}

static __always_inline void load_count(__u32 function)
{
	struct memleak_load *load = measure_load ? own_load() : 0;

	if (load && function < MEMLEAK_N_FUNCTIONS)
		load->calls[function]++;
}

/* Around what is done for a call that is recorded. */
static __always_inline __u64 work_begins(void)
{
	return measure_load ? bpf_ktime_get_ns() : 0;
}

static __always_inline void work_ends(__u64 begin)
{
	struct memleak_load *load = begin ? own_load() : 0;

	if (load)
		load->work_ns += bpf_ktime_get_ns() - begin;
}

/* The entry of this call was seen before its probes went: its return was perhaps not, and it says nothing now. */
static __always_inline bool from_before(__u32 function, __u32 period)
{
	return measure_load && period != probes_period && memleak_only_allocates(function);
}

#endif
