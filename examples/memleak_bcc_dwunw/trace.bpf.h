/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* -t: each allocation and each free, told as it happens, in order. Whoever includes this has count_not_traced(). */
#ifndef TRACE_BPF_H
#define TRACE_BPF_H

const volatile bool trace_all;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} memleak_trace SEC(".maps");

static __always_inline void trace(enum memleak_trace_kind kind, const struct memleak_key *key,
				  __u64 size, __s64 stack_id)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct memleak_trace event = {
		.time_ns = bpf_ktime_get_ns(),
		.addr = key->addr,
		.image = key->image,
		.size = size,
		.stack_id = stack_id,
		.tid = task->pid,
		.kind = kind,
	};

	bpf_get_current_comm(event.comm, sizeof(event.comm));
	if (bpf_ringbuf_output(&memleak_trace, &event, sizeof(event), 0))
		count_not_traced();
}

#endif
