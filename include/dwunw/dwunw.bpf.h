/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * libdwunw for BPF programs: dwunw_get_stackid(), a drop-in for bpf_get_stackid() that follows call frame information
 * instead of frame pointers.
 *
 *   #include "vmlinux.h"
 *   #include <bpf/bpf_helpers.h>
 *   #include <dwunw/dwunw.bpf.h>
 *   ...
 *   __s64 id = dwunw_get_stackid(ctx, 0);
 *
 * from a uprobe, uretprobe or perf_event program (non-sleepable). A kernel without bpf_loop (before 5.17) sends every stack to
 * user space, to be walked there. User space loads tables and owns the stacks: see dwunw_bpf_*() in dwunw.h. The program needs a GPL-compatible licence.
 */
#ifndef DWUNW_BPF_H
#define DWUNW_BPF_H

#include "walk.bpf.h"

/* Set by user space before loading. */
const volatile __u64 dwunw_pidns_dev; /* PID namespace of the tool; 0: the initial one */
const volatile __u64 dwunw_pidns_ino;
const volatile __u64 dwunw_ship_ns =
	20000000; /* of 2^30, for sending unfinished stacks; each CPU */
const volatile __u32 dwunw_slice_size = 16 * DWUNW_SLICE_UNIT; /* of the stack, with each */
const volatile __u32 dwunw_walk_in_user; /* all walks are left to user space */

#define DWUNW_APART_WORDS 32

__u64 dwunw_next_process = 2; /* keys of processes that user space did not announce: even */

/*
 * A walk buffer of this CPU, for this program run. A per-CPU value alone would be overwritten by a program on a
 * thread that preempts this one.
 */
static __always_inline struct dwunw_slot *dwunw_claim_slot(void)
{
	__u32 base = bpf_get_smp_processor_id() * DWUNW_SLOTS;

	for (int i = 0; i < DWUNW_SLOTS; i++) {
		__u32 key = base + i;
		struct dwunw_slot *slot = bpf_map_lookup_elem(&dwunw_slots, &key);

		if (slot && __sync_val_compare_and_swap(&slot->claimed, 0, 1) == 0) {
			slot->number = key;
			return slot;
		}
		if (slot && i == DWUNW_SLOTS - 1)
			__sync_fetch_and_add(&slot->counts[DWUNW_STOP_BUSY], 1);
	}
	return 0;
}

static __always_inline void dwunw_release_slot(struct dwunw_slot *slot)
{
	__sync_lock_test_and_set(&slot->claimed, 0);
}

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

/* The process of the current task; made, if need be, for user space to hear of by the first event. */
static __always_inline struct dwunw_process *dwunw_current_process(void)
{
	struct task_struct *leader = bpf_get_current_task_btf()->group_leader;
	struct dwunw_process *process = bpf_task_storage_get(&dwunw_processes, leader, 0, 0);

	if (process)
		return process;
	process = bpf_task_storage_get(&dwunw_processes, leader, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (process && !process->key)
		__sync_val_compare_and_swap(&process->key, 0,
					    __sync_fetch_and_add(&dwunw_next_process, 2));
	return process;
}

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

/* Tells user space of a stack the first time it is seen; an id is remembered only if that worked. */
static __always_inline void dwunw_tell(struct dwunw_slot *slot, __u64 process, __u32 generation,
				       __s64 id)
{
	__u64 key = id, size;
	__u64 *recent = &slot->told[id & (DWUNW_TOLD - 1)];
	__u32 told = 1;

	if (*recent == key)
		return;
	if (bpf_map_lookup_elem(&dwunw_stacks, &key)) {
		*recent = key;
		return;
	}
	dwunw_fill_event(&slot->event.event, DWUNW_EVENT_STACK, process, id);
	slot->event.stop = slot->stop;
	slot->event.generation = generation;
	slot->event.has_sp = dwunw_details;
	size = (__u64)slot->event.n_frames * 8 * (dwunw_details ? 3 : 2);
	if (size > sizeof(slot->frames))
		size = sizeof(slot->frames);
	size += sizeof(slot->event);
	if (bpf_ringbuf_output(&dwunw_events, &slot->event, size, 0))
		slot->counts[DWUNW_COUNT_UNTOLD]++;
	else if (bpf_map_update_elem(&dwunw_stacks, &key, &told, BPF_ANY))
		slot->counts[DWUNW_COUNT_STACKS_FULL]++;
}

static __always_inline int dwunw_can_finish(__u32 stop)
{
#define DWUNW_STOP_BIT(name, text, finish) ((__u64)finish << DWUNW_STOP_##name) |
	return (DWUNW_STOP_REASONS(DWUNW_STOP_BIT) 0ULL) >> (stop & 63) & 1;
#undef DWUNW_STOP_BIT
}

/*
 * A stack that ends before its root, for good: what lies on it where the walk ended goes into the id too, so that
 * two callers above the same unknown code do not become one.
 */
static __always_inline void dwunw_tell_apart(struct dwunw_slot *slot)
{
	slot->hash = dwunw_hash_frame(slot->hash, slot->state.sp);
	slot->in_window = 0;
	if (bpf_probe_read_user(slot->window, DWUNW_APART_WORDS * 8, (void *)slot->state.sp))
		return;
	for (int i = 0; i < DWUNW_APART_WORDS; i++)
		slot->hash = dwunw_hash_frame(slot->hash, slot->window[i]);
}

static __always_inline __s64 dwunw_walk_to_id(struct pt_regs *ctx, struct dwunw_slot *slot)
{
	struct dwunw_process *process = dwunw_current_process();
	const struct dwunw_mappings *mappings = 0;
	__u32 zero = 0, generation, place;
	void *map;
	__s64 id;

	if (!process)
		return -12; /* ENOMEM */
	generation = process->generation;
	slot->event.n_frames = 0;
	slot->fp_root = 0;
	slot->stop = dwunw_walk_in_user ? DWUNW_STOP_NOT_WALKED : DWUNW_STOP_NO_PROCESS;
	place = process->key % DWUNW_MAX_PROCESSES;
	map = dwunw_walk_in_user ? 0 : bpf_map_lookup_elem(&dwunw_mappings, &place);
	if (map)
		mappings = bpf_map_lookup_elem(map, &zero);
	if (mappings && mappings->process == process->key) {
		slot->stale = mappings->generation != generation;
		dwunw_walk_stack(ctx, slot, mappings, process->key);
		if (slot->stale && slot->stop == DWUNW_STOP_NO_MAPPING)
			slot->stop = DWUNW_STOP_STALE;
		if (dwunw_guess && slot->stop != DWUNW_STOP_ROOT && slot->stop != DWUNW_STOP_DEPTH)
			dwunw_try_fp(ctx, slot, mappings, process->key);
	}
	if (dwunw_can_finish(slot->stop)) {
		id = dwunw_ship(ctx, slot, process->key, generation);
		if (!(id & DWUNW_ID_REASON))
			return id;
		slot->stop = id & 15;
	}
	if (slot->fp_root)
		slot->stop = DWUNW_STOP_ROOT;
	slot->counts[slot->stop & 15]++;
	/* the frames so far take less room than what was dropped */
	if (slot->stop == DWUNW_STOP_RATE ||
	    (slot->stop == DWUNW_STOP_DROPPED && !slot->event.n_frames))
		return DWUNW_ID_REASON | slot->stop;
	if (slot->stop == DWUNW_STOP_ROOT) {
		if (slot->fp_steps)
			slot->counts[DWUNW_COUNT_FP_STACKS]++;
	} else if (slot->stop != DWUNW_STOP_DEPTH) {
		dwunw_tell_apart(slot);
	}
	id = dwunw_hash_frame(slot->hash, slot->stop) & DWUNW_ID_HASH_MASK;
	dwunw_tell(slot, process->key, generation, id);
	return id;
}

/*
 * The probe is where a function begins, and neither the stack pointer nor the return address has changed since the call: code
 * without call frame information is stepped out of, too (musl has none).
 */
#define DWUNW_F_ENTRY (1ULL << 32)

/*
 * The id of the current user stack, as bpf_get_stackid(ctx, map, BPF_F_USER_STACK | skip). `flags`: the low 8 bits are the
 * number of innermost frames to leave out; DWUNW_F_ENTRY; other bits must be 0. Returns an id (event_format.h) or a negative errno.
 */
static __always_inline __s64 dwunw_get_stackid(struct pt_regs *ctx, __u64 flags)
{
	struct dwunw_slot *slot;
	__s64 id;

	if (flags & ~(BPF_F_SKIP_FIELD_MASK | DWUNW_F_ENTRY))
		return -22; /* EINVAL */
	slot = dwunw_claim_slot();
	if (!slot)
		return DWUNW_ID_REASON | DWUNW_STOP_BUSY;
	slot->skip = flags & BPF_F_SKIP_FIELD_MASK;
	slot->entry_sp = flags & DWUNW_F_ENTRY ? PT_REGS_SP(ctx) : 0;
	id = dwunw_walk_to_id(ctx, slot);
	dwunw_release_slot(slot);
	return id;
}

static __always_inline void dwunw_announce(__u32 type, __u64 process)
{
	__u32 key = bpf_get_smp_processor_id() * DWUNW_SLOTS;
	struct dwunw_event event = {};
	struct dwunw_slot *slot;

	dwunw_fill_event(&event, type, process, 0);
	if (bpf_ringbuf_output(&dwunw_events, &event, sizeof(event), 0) == 0)
		return;
	slot = bpf_map_lookup_elem(&dwunw_slots, &key);
	if (slot)
		__sync_fetch_and_add(&slot->counts[DWUNW_COUNT_UNANNOUNCED], 1);
}

/*
 * The dynamic linker's debug hook (r_brk, _dl_debug_state), attached by user space to each traced process: it runs before and after
 * objects are added or removed, before their code can run. Mappings that were published before a removal are
 * not trusted until user space has read them again. The cookie is the address of the link map's r_state.
 */
SEC("uprobe.multi")
int dwunw_on_link_map(struct pt_regs *ctx)
{
	struct dwunw_process *process = dwunw_current_process();
	__u64 address = bpf_get_attach_cookie(ctx);
	__u32 state = 2;

	if (!process)
		return 0;
	/* link.h: RT_CONSISTENT 0, RT_ADD 1, RT_DELETE 2; unreadable: assume the worst */
	bpf_probe_read_user(&state, sizeof(state), (void *)address);
	/*
	 * Other namespaces (dlmopen) have link maps, and states, of their own. Of them it is known only that something changes there, if
	 * nothing does here: so that it may be a removal.
	 */
	if (state == 2 || process->link_map_state == 2 || (!state && !process->link_map_state))
		__sync_fetch_and_add(&process->generation, 1);
	process->link_map_state = state;
	if (state == 0)
		dwunw_announce(DWUNW_EVENT_MAPPINGS, process->key);
	return 0;
}

/* A process image was replaced: its old mappings mean nothing. */
SEC("raw_tp/sched_process_exec")
int dwunw_on_exec(void *ctx)
{
	struct task_struct *leader = bpf_get_current_task_btf()->group_leader;
	struct dwunw_process *process = bpf_task_storage_get(&dwunw_processes, leader, 0, 0);

	if (!process)
		return 0;
	process->key = __sync_fetch_and_add(&dwunw_next_process, 2);
	process->generation = 0;
	process->link_map_state = 0;
	dwunw_announce(DWUNW_EVENT_PROCESS, process->key);
	return 0;
}

#endif
