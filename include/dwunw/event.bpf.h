/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The head of every record. */
#ifndef DWUNW_EVENT_BPF_H
#define DWUNW_EVENT_BPF_H

#include "maps.bpf.h"

/* Set by user space before loading. */
const volatile __u64 dwunw_pidns_dev; /* PID namespace of the tool; 0: the initial one */
const volatile __u64 dwunw_pidns_ino;

static __always_inline void dwunw_fill_event(struct dwunw_event *event, __u32 type, __u64 process,
					     __s64 id)
{
	struct bpf_pidns_info ns = {};
	__u64 both = bpf_get_current_pid_tgid();

	event->type = type;
	event->tgid = both >> 32;
	event->tid = both;
	if (dwunw_pidns_ino) {
		/* fails for a process that has no number in the tool's namespace: both stay 0 */
		bpf_get_ns_current_pid_tgid(dwunw_pidns_dev, dwunw_pidns_ino, &ns, sizeof(ns));
		event->tgid = ns.tgid;
		event->tid = ns.pid;
	}
	event->cpu = bpf_get_smp_processor_id();
	event->process = process;
	event->stack_id = id;
	event->time_ns = bpf_ktime_get_ns();
	bpf_get_current_comm(event->comm, sizeof(event->comm));
}

#endif
