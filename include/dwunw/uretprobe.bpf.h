/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Return probes, seen from a BPF program. The kernel swaps the return address of a probed call for the address of a
 * trampoline, the first instruction of the [uprobes] page, and keeps the real one in a list of return instances
 * (kernel/events/uprobes.c: prepare_uretprobe(), current->utask->return_instances).
 */
#ifndef DWUNW_URETPROBE_BPF_H
#define DWUNW_URETPROBE_BPF_H

#include <bpf/bpf_core_read.h>
#include "event_format.h"

/* Address of the current process's trampoline; 0: it has none. */
static __always_inline __u64 dwunw_trampoline(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, mm, uprobes_state.xol_area, vaddr);
}

struct dwunw_return_search {
	struct return_instance *instance;
	__u64 slot;    /* stack pointer at the entry of the function that was called */
	__u64 address; /* the trampoline's; out: that of the caller, if it was found */
};

static long dwunw_search_return(__u32 i, struct dwunw_return_search *search)
{
	struct return_instance *instance = search->instance;
	__u64 address;

	if (!instance)
		return 1;
	address = BPF_CORE_READ(instance, orig_ret_vaddr);
	/* a tail call's instance has the trampoline for its return address: the next one knows more */
	if (BPF_CORE_READ(instance, stack) == search->slot && address != search->address) {
		search->address = address;
		return 1;
	}
	search->instance = BPF_CORE_READ(instance, next);
	return 0;
}

/*
 * The return address that a uretprobe took from the stack slot `slot`; 0: none is known. Inline, and its state small: all
 * functions that are under way have 512 bytes of stack together.
 */
static __always_inline __u64 dwunw_return_address(__u64 slot, __u64 trampoline)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct dwunw_return_search search = {
		.instance = BPF_CORE_READ(task, utask, return_instances),
		.slot = slot,
		.address = trampoline,
	};

	bpf_loop(DWUNW_MAX_RETURNS, dwunw_search_return, &search, 0);
	return search.address == trampoline ? 0 : search.address;
}

#endif
