/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Stacks that the kernel does not finish: sent to user space, with registers and a slice of the stack. */
#ifndef DWUNW_SHIP_BPF_H
#define DWUNW_SHIP_BPF_H

#include "event.bpf.h"
#include "uretprobe.bpf.h"
#include "walk.bpf.h"

/* Set by user space before loading. */
const volatile __u64 dwunw_ship_ns =
	20000000; /* of 2^30, for sending unfinished stacks; each CPU */
const volatile __u32 dwunw_slice_size = 16 * DWUNW_SLICE_UNIT; /* of the stack, with each */

/* The return addresses that uretprobes hold back. (No bpf_loop here: kernels without it send all their stacks.) */
static __always_inline void dwunw_gather_returns(struct dwunw_cut_short_event *event)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct return_instance *instance = BPF_CORE_READ(task, utask, return_instances);

	/* counted in the record: a local count would keep the verifier's paths apart */
	event->n_returns = 0;
	for (int i = 0; i < DWUNW_MAX_RETURNS && instance; i++) {
		event->returns[i].slot = BPF_CORE_READ(instance, stack);
		event->returns[i].address = BPF_CORE_READ(instance, orig_ret_vaddr);
		instance = BPF_CORE_READ(instance, next);
		event->n_returns = i + 1;
	}
}

/*
 * The stack pointer that a signal interrupted, if its handler runs on an alternate stack; else, or where it is not found, 0. The kernel pushes
 * its frame at the top of that stack, and uc_stack, which is in it, is what sigaltstack(2) had set.
 */
static __noinline __u64 dwunw_interrupted_sp(struct dwunw_slot *slot, __u64 sp)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 start = task->sas_ss_sp, size = task->sas_ss_size, found = 0;
	__u64 window = start + size - DWUNW_WINDOW_SIZE;

	if (sp - start >= size)
		return 0;
	slot->in_window = 0;
	if (bpf_probe_read_user(slot->window, DWUNW_WINDOW_SIZE, (void *)window))
		return 0;
	/* the topmost is that of the first signal; without branches, so that the verifier has one path */
	for (__u64 i = 1; i < DWUNW_WINDOW_SIZE / 8 - DWUNW_ARCH_SAVED_SP / 8; i++) {
		__u64 other = (slot->window[i] ^ start) | (slot->window[i + 2] ^ size);
		__u64 no = -other;

		barrier_var(no);
		no = (__s64)(other | no) >> 63;
		barrier_var(no);
		found = (found & no) | (i & ~no);
	}
	found &= DWUNW_WINDOW_SIZE / 8 - 1;
	/* what lies below sp is left from other signals */
	if (!found || window + found * 8 < sp)
		return 0;
	sp = slot->window[(found + DWUNW_ARCH_SAVED_SP / 8) & (DWUNW_WINDOW_SIZE / 8 - 1)];
	return sp - start < size ? 0 : sp;
}

/* Decides what the slice is of: of an alternate stack as much as is in use, half of the slice at most. */
static __always_inline void dwunw_divide_slice(struct dwunw_cut_short_event *event,
					       struct dwunw_slot *slot)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 sp = event->registers.regs[DWUNW_ARCH_NATIVE.sp], other;

	event->slice_start = sp & ~(DWUNW_SLICE_UNIT - 1ULL);
	event->slice_size = event->second = dwunw_slice_size;
	event->second_start = 0;
	other = dwunw_interrupted_sp(slot, sp);
	if (!other)
		return;
	event->second_start = other & ~(DWUNW_SLICE_UNIT - 1ULL);
	event->second =
		(task->sas_ss_sp + task->sas_ss_size - event->slice_start + DWUNW_SLICE_UNIT - 1) &
		~(DWUNW_SLICE_UNIT - 1);
	if (event->second > dwunw_slice_size / 2)
		event->second =
			(dwunw_slice_size / 2 + DWUNW_SLICE_UNIT - 1) & ~(DWUNW_SLICE_UNIT - 1);
}

/* In pieces that do not cross pages: one that was never touched, in the midst of a large frame, may be followed by others. */
static __always_inline void dwunw_read_slice(struct dwunw_cut_short_event *event)
{
	event->missing = 0;
	for (__u32 at = 0; at < dwunw_slice_size; at += DWUNW_SLICE_UNIT) {
		__u64 first = (__s64)((__u64)at - event->second) >> 63; /* without a branch */
		__u64 start;

		barrier_var(first);
		start = (event->slice_start & first) |
			((event->second_start - event->second) & ~first);
		if (bpf_probe_read_user(event->slice + at, DWUNW_SLICE_UNIT, (void *)(start + at)))
			event->missing |= 1ULL << at / DWUNW_SLICE_UNIT;
	}
}

/* Sends the unfinished walk in `slot` to user space; returns the id of the event. */
static __noinline __s64 dwunw_ship(struct pt_regs *ctx, struct dwunw_slot *slot, __u64 process,
				   __u32 generation)
{
	__u64 begin = bpf_ktime_get_ns(), second = begin >> 30;
	struct dwunw_cut_short_event *event;
	__s64 id;

	if (slot->ship_second != second) {
		slot->ship_second = second;
		slot->ship_ns = 0;
	}
	if (slot->ship_ns > dwunw_ship_ns)
		return DWUNW_ID_REASON | DWUNW_STOP_RATE;
	event = bpf_ringbuf_reserve(
		&dwunw_events, offsetof(struct dwunw_cut_short_event, slice) + dwunw_slice_size, 0);
	if (!event)
		return DWUNW_ID_REASON | DWUNW_STOP_DROPPED;
	slot->counts[slot->stop & 15]++;
	slot->counts[DWUNW_COUNT_SHIPPED]++;
	id = DWUNW_ID_EVENT | (__u64)slot->number << 32 | slot->sequence++;
	dwunw_fill_event(&event->event, DWUNW_EVENT_CUT_SHORT, process, id);
	dwunw_arch_regs(ctx, &event->registers);
	dwunw_divide_slice(event, slot); /* before the verifier's paths part */
	event->stop = slot->stop;
	event->skip = slot->skip;
	event->entry_sp = slot->entry_sp;
	event->n_frames = slot->event.n_frames;
	if (event->n_frames > DWUNW_CUT_SHORT_FRAMES)
		event->n_frames = DWUNW_CUT_SHORT_FRAMES;
	if (dwunw_details)
		event->n_frames = 0;
	event->fp_root = slot->fp_root && event->n_frames == slot->event.n_frames;
	event->generation = generation;
	event->trampoline = dwunw_trampoline();
	bpf_probe_read_kernel(event->frames, sizeof(event->frames), slot->frames);
	dwunw_gather_returns(event);
	dwunw_read_slice(event);
	bpf_ringbuf_submit(event, 0);
	slot->ship_ns += bpf_ktime_get_ns() - begin;
	return id;
}

#endif
