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
	struct dwunw_return *returns = (void *)(event + 1);
	struct task_struct *task = (void *)bpf_get_current_task();
	struct return_instance *instance = BPF_CORE_READ(task, utask, return_instances);

	/* counted in the record: a local count would keep the verifier's paths apart */
	event->n_returns = 0;
	for (int i = 0; i < DWUNW_MAX_RETURNS && instance; i++) {
		returns[i].slot = BPF_CORE_READ(instance, stack);
		returns[i].address = BPF_CORE_READ(instance, orig_ret_vaddr);
		instance = BPF_CORE_READ(instance, next);
		event->n_returns = i + 1;
	}
}

/*
 * The stack pointer that a signal interrupted, if its handler runs on an alternate stack; else, or where it is not found, 0. The kernel pushes
 * its frame at the top of that stack, and uc_stack, at a multiple of 16 in it, is what sigaltstack(2) had set. A global function: see dwunw_look_up().
 */
__noinline __u64 dwunw_interrupted_sp(struct dwunw_slot *slot, __u64 sp)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 start = task->sas_ss_sp, size = task->sas_ss_size, found = 0;
	__u64 window = (start + size - DWUNW_WINDOW_SIZE) & ~15ULL;

	if (!slot || sp - start >= size)
		return 0;
	slot->in_window = 0;
	if (bpf_probe_read_user(slot->window, DWUNW_WINDOW_SIZE, (void *)window))
		return 0;
	/* the topmost is that of the first signal; without branches, so that the verifier has one path */
	for (__u64 i = 2; i < DWUNW_WINDOW_SIZE / 8 - DWUNW_ARCH_SAVED_SP / 8; i += 2) {
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

/*
 * Bytes of the stack from `start` on, `most` or as many as there are: the first thread's ends where the kernel began it; other threads' have at
 * their end what the thread pointer points to (glibc, musl). Neither is ever below a frame of the stack that `start` is on.
 */
static __always_inline __u32 dwunw_stack_size(const struct pt_regs *ctx, __u64 start, __u32 most)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 first = BPF_CORE_READ(task, mm, start_stack) - start;
	__u64 other = DWUNW_ARCH_THREAD_POINTER(ctx, task) - start;

	if (other < first)
		first = other;
	return first < most ? (first + 7) & ~7ULL : most;
}

/* Decides what the slice is of: of an alternate stack as much as is in use, half of the slice at most. */
static __always_inline void dwunw_divide_slice(const struct pt_regs *ctx,
					       struct dwunw_cut_short_event *event,
					       struct dwunw_slot *slot)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 sp = event->registers.regs[DWUNW_ARCH_NATIVE.sp], other;
	__u32 most = dwunw_slice_size, size;

	event->slice_start = sp & ~(DWUNW_SLICE_UNIT - 1ULL);
	event->second_start = event->second = 0;
	other = dwunw_interrupted_sp(slot, sp);
	if (other) {
		event->second_start = other & ~(DWUNW_SLICE_UNIT - 1ULL);
		event->second = (task->sas_ss_sp + task->sas_ss_size - event->slice_start +
				 DWUNW_SLICE_UNIT - 1) &
				~(DWUNW_SLICE_UNIT - 1);
		if (event->second > dwunw_slice_size / 2)
			event->second = (dwunw_slice_size / 2 + DWUNW_SLICE_UNIT - 1) &
					~(DWUNW_SLICE_UNIT - 1);
		most -= event->second;
	}
	size = dwunw_stack_size(ctx, other ? event->second_start : event->slice_start, most);
	event->whole = size < most;
	event->slice_size = event->second + size;
	if (!other)
		event->second = size;
}

/* In pieces that do not cross pages: one that was never touched, in the midst of a large frame, may be followed by others. */
static __always_inline void dwunw_read_slice(struct dwunw_cut_short_event *event, __u8 *slice)
{
	event->missing = 0;
	for (__u32 at = 0; at < dwunw_slice_size; at += DWUNW_SLICE_UNIT) {
		__u64 first = (__s64)((__u64)at - event->second) >> 63; /* without a branch */
		__u64 start;

		if (at >= event->slice_size)
			break;
		barrier_var(first);
		start = (event->slice_start & first) |
			((event->second_start - event->second) & ~first);
		if (bpf_probe_read_user(slice + at, DWUNW_SLICE_UNIT, (void *)(start + at)))
			event->missing |= 1ULL << at / DWUNW_SLICE_UNIT;
	}
}

/* Returns, frames, slice: all that follows `event`; its size. */
static __always_inline __u64 dwunw_fill_tail(struct dwunw_cut_short_event *event,
					     const struct dwunw_slot *slot)
{
	__u8 *tail = (__u8 *)(event + 1);
	__u64 off;

	dwunw_gather_returns(event);
	off = event->n_returns * sizeof(struct dwunw_return) & (DWUNW_RECORD_TAIL / 2 - 1);
	barrier_var(off);
	bpf_probe_read_kernel(tail + off, DWUNW_CUT_SHORT_FRAMES * 16, slot->frames);
	off += event->n_frames * 16;
	off &= DWUNW_RECORD_TAIL - 1;
	barrier_var(off);
	dwunw_read_slice(event, tail + off);
	return off + event->slice_size;
}

static __always_inline int dwunw_send(struct dwunw_cut_short_event *event, __u64 tail_size)
{
	__u64 size = sizeof(*event) + tail_size;

	barrier_var(size);
	if (size > DWUNW_RECORD_SIZE(dwunw_slice_size))
		size = DWUNW_RECORD_SIZE(dwunw_slice_size);
	return bpf_ringbuf_output(&dwunw_events, event, size, 0);
}

/* Whether the ring buffer has room for so many bytes, as far as that is known beforehand. */
static __always_inline int dwunw_has_room(__u64 size)
{
	return bpf_ringbuf_query(&dwunw_events, BPF_RB_AVAIL_DATA) + size <
	       bpf_ringbuf_query(&dwunw_events, BPF_RB_RING_SIZE);
}

/* Sends the unfinished walk in `slot` to user space; returns the id of the event. */
static __noinline __s64 dwunw_ship(struct pt_regs *ctx, struct dwunw_slot *slot, __u64 process,
				   __u32 generation)
{
	__u64 begin = bpf_ktime_get_ns(), second = begin >> 30;
	__u32 number = slot->number;
	struct dwunw_cut_short_event *event;
	__s64 id;

	if (slot->ship_second != second) {
		slot->ship_second = second;
		slot->ship_ns = 0;
	}
	if (slot->ship_ns > dwunw_ship_ns)
		return DWUNW_ID_REASON | DWUNW_STOP_RATE;
	event = bpf_map_lookup_elem(&dwunw_records, &number);
	if (!event || !dwunw_has_room(sizeof(*event)))
		return DWUNW_ID_REASON | DWUNW_STOP_DROPPED;
	id = DWUNW_ID_EVENT | (__u64)number << 32 | slot->sequence;
	dwunw_fill_event(&event->event, DWUNW_EVENT_CUT_SHORT, process, id);
	dwunw_arch_regs(ctx, &event->registers);
	dwunw_divide_slice(ctx, event, slot); /* before the verifier's paths part */
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
	if (dwunw_send(event, dwunw_fill_tail(event, slot)))
		id = DWUNW_ID_REASON | DWUNW_STOP_DROPPED;
	slot->ship_ns += bpf_ktime_get_ns() - begin;
	if (id & DWUNW_ID_REASON)
		return id;
	slot->sequence++;
	slot->counts[slot->stop & 15]++;
	slot->counts[DWUNW_COUNT_SHIPPED]++;
	return id;
}

#endif
