/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the parts of memleak's BPF program share: the counts that user space tells of, and which process image runs. */
#ifndef COUNTS_BPF_H
#define COUNTS_BPF_H

#include "memleak_dwunw_events.h"

__u64 counts[MEMLEAK_N_COUNTS];

static __always_inline void count_many(enum memleak_count which, __u64 n)
{
	__sync_fetch_and_add(&counts[which], n);
}

static __always_inline void count(enum memleak_count which)
{
	count_many(which, 1);
}

static __always_inline __u64 current_image(void)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return (__u64)task->tgid << 32 | (task->self_exec_id & 0xffffffff);
}

#endif
