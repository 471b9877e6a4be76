/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* fork and exec of the targets: their children are told of, and which image their blocks are of. */
#ifndef PROCESSES_BPF_H
#define PROCESSES_BPF_H

/* The number of the process in the tool's PID namespace; 0: it has none. */
static __always_inline __u32 pid_for_tool(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	__u32 level = BPF_CORE_READ(pid, level);

	if (!pidns_ino)
		return BPF_CORE_READ(task, tgid);
	for (__u32 i = 0; i <= level && i < 32; i++) { /* kernel: MAX_PID_NS_LEVEL */
		struct upid number;

		if (bpf_core_read(&number, sizeof(number), &pid->numbers[i]))
			return 0;
		if (BPF_CORE_READ(number.ns, ns.inum) == pidns_ino)
			return number.nr;
	}
	return 0;
}

static __always_inline void tell_child(struct task_struct *task, __u32 parent, __u32 by_exec)
{
	struct memleak_child child = {
		.type = MEMLEAK_EVENT_CHILD,
		.pid = pid_for_tool(task),
		.tgid = BPF_CORE_READ(task, tgid),
		.parent = parent,
		.by_exec = by_exec,
		.time_ns = bpf_ktime_get_ns(),
	};

	if (bpf_ringbuf_output(&memleak_events, &child, sizeof(child), 0))
		count(MEMLEAK_COUNT_UNTOLD);
}

/* A target that has called no allocator yet is known by its number alone. */
static __always_inline void find_target(struct task_struct *task, __u32 tgid)
{
	__u32 pid = pidns_ino ? pid_for_tool(task) : 0;

	for (__u32 i = 0; pid && i < MEMLEAK_MAX_TARGETS; i++) {
		if (target_pids[i] != pid)
			continue;
		target_pids[i] = 0;
		if (!target_tgids[i])
			target_tgids[i] = tgid;
	}
}

SEC("raw_tp/sched_process_fork")
int memleak_fork(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *parent = (void *)ctx->args[0], *task = (void *)ctx->args[1];
	__u32 tgid = BPF_CORE_READ(task, tgid), parent_tgid = BPF_CORE_READ(parent, tgid);

	if (tgid != (__u32)BPF_CORE_READ(task, pid)) /* a thread */
		return 0;
	find_target(BPF_CORE_READ(parent, group_leader), parent_tgid);
	for (__u32 i = 0; i < MEMLEAK_MAX_TARGETS; i++) {
		if (target_tgids[i] != parent_tgid)
			continue;
		if (BPF_CORE_READ(task, mm) == BPF_CORE_READ(parent, mm))
			bpf_map_update_elem(&vforked, &tgid, &i, BPF_ANY);
		else
			tell_child(task, i, 0);
		return 0;
	}
	return 0;
}

/* Of any process: that is rare. */
static __always_inline void tell_exec_by_thread(__u32 tgid)
{
	struct memleak_exec_by_thread event = {
		.type = MEMLEAK_EVENT_EXEC_BY_THREAD,
		.tgid = tgid,
		.time_ns = bpf_ktime_get_ns(),
	};

	if (bpf_ringbuf_output(&memleak_events, &event, sizeof(event), 0))
		count(MEMLEAK_COUNT_UNTOLD_EXECS);
}

/* exec, by whichever thread: the blocks of the old image are gone. Costs a bystander's exec next to nothing. */
SEC("raw_tp/sched_process_exec")
int memleak_exec(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 tgid = task->tgid, event = MEMLEAK_EVENT_EXEC;

	find_target(task, tgid);
	for (int i = 0; i < MEMLEAK_MAX_TARGETS; i++) {
		if (target_tgids[i] == tgid)
			target_images[i] = current_image();
	}
	if ((__u32)ctx->args[1] != tgid) /* the number of the thread before */
		tell_exec_by_thread(tgid);
	if (exec_signal && target_tgids[0] == tgid &&
	    bpf_ringbuf_output(&memleak_events, &event, sizeof(event), 0) == 0)
		bpf_send_signal(exec_signal);
	if (follow_forks) {
		__u32 *parent = bpf_map_lookup_elem(&vforked, &tgid);

		if (parent) {
			tell_child(task, *parent, 1);
			bpf_map_delete_elem(&vforked, &tgid);
		}
	}
	return 0;
}

#endif
