/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sampling in memleak's probes: what is not chosen is neither walked nor stored. Left out when off, by the kernel's verifier. */
#ifndef SAMPLING_BPF_H
#define SAMPLING_BPF_H

#include <bpf/bpf_helpers.h>

#include "sampling_draw.h"

/* Set by user space: the mode before loading, the setting also while the probes run. 0: nothing is recorded. */
const volatile __u32 sampling_mode;
__u64 sampling_setting;

static inline __u32 sampling_random(void)
{
	return bpf_get_prandom_u32();
}

/* Whether the call is recorded; *number: to be stored with its block. */
static __noinline int sampling_wants(struct sampler *sampler, __u64 size, __u64 setting)
{
	return sampler && sampling_choose(sampler, sampling_mode, setting, size);
}

static __always_inline bool sampling_records(struct sampler *sampler, __u64 size, __u8 *number)
{
	__u64 setting;

	if (sampling_mode == SAMPLING_NONE)
		return true;
	setting = *(volatile __u64 *)&sampling_setting;
	*number = setting >> SAMPLING_NUMBER_SHIFT;
	return setting && sampling_wants(sampler, size, setting);
}

#endif
