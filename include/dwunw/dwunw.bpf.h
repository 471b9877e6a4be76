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

#include "memo_check.bpf.h"
#include "ship.bpf.h"
#include "walk.bpf.h"

/* Set by user space before loading. */

#define DWUNW_APART_WORDS 32

__u64 dwunw_next_process = 2; /* keys of processes that user space did not announce: even */
__u64 dwunw_changes = 1; /* of any struct dwunw_process, and execs; counted after they were made */

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

/* Whether user space has been told of the stack. */
static __always_inline int dwunw_is_told(struct dwunw_slot *slot, __s64 id)
{
	__u64 key = id;
	__u64 *recent = &slot->told[id & (DWUNW_TOLD - 1)];

	if (*recent == key)
		return 1;
	if (!bpf_map_lookup_elem(&dwunw_stacks, &key))
		return 0;
	*recent = key;
	return 1;
}

/* Tells user space of a stack the first time it is seen; an id is remembered only if that worked. */
static __always_inline void dwunw_tell(struct dwunw_slot *slot, __u64 process, __u32 generation,
				       __s64 id)
{
	__u64 key = id, size;
	__u32 told = 1;

	if (dwunw_is_told(slot, id))
		return;
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
	slot->hash = dwunw_hash_word(slot->hash, slot->state.sp);
	slot->in_window = 0;
	if (bpf_probe_read_user(slot->window, DWUNW_APART_WORDS * 8, (void *)slot->state.sp))
		return;
	for (int i = 0; i < DWUNW_APART_WORDS; i++)
		slot->hash = dwunw_hash_word(slot->hash, slot->window[i]);
}

static __always_inline __s64 dwunw_hash_to_id(const struct dwunw_slot *slot)
{
	return dwunw_hash_word(slot->hash, slot->stop) & DWUNW_ID_HASH_MASK;
}

static __always_inline __s64 dwunw_count_root(struct dwunw_slot *slot, __s64 id)
{
	slot->counts[DWUNW_STOP_ROOT]++;
	if (slot->fp_steps)
		slot->counts[DWUNW_COUNT_FP_STACKS]++;
	return id;
}

/*
 * Key and generation of the current process: as they were found by another event of this thread, if there were no changes since; looking
 * them up takes longer than comparing some stacks. -1: there is no memory for them.
 */
static __always_inline int dwunw_identify(struct dwunw_memo *memo, __u64 *key, __u32 *generation)
{
	__u64 leader = (__u64)bpf_get_current_task_btf()->group_leader;
	__u64 changes = *(volatile __u64 *)&dwunw_changes;
	struct dwunw_process *process;

	if (memo && memo->changes == changes && memo->leader == leader) {
		*key = memo->process;
		*generation = memo->process_generation;
		return 0;
	}
	/* in this order: what is found now may be older than later changes, never than these */
	changes = __sync_fetch_and_add(&dwunw_changes, 0);
	process = dwunw_current_process();
	if (!process)
		return -1;
	*key = process->key;
	*generation = process->generation;
	if (memo && *key) { /* 0: another thread is about to give it one */
		memo->process = *key;
		memo->process_generation = *generation;
		memo->leader = leader;
		memo->changes = changes;
	}
	return 0;
}

static __always_inline __s64 dwunw_walk_to_id(struct pt_regs *ctx, struct dwunw_slot *slot)
{
	struct dwunw_memo *memo = dwunw_memo_get(slot, dwunw_arch_pc(ctx) >> 63);
	const struct dwunw_mappings *mappings = 0;
	__u32 zero = 0, generation, place;
	void *map;
	__u64 key;
	__s64 id;

	if (dwunw_identify(memo, &key, &generation))
		return -12; /* ENOMEM */
	slot->event.n_frames = 0;
	slot->fp_root = 0;
	slot->stop = dwunw_walk_in_user ? DWUNW_STOP_NOT_WALKED : DWUNW_STOP_NO_PROCESS;
	place = key % DWUNW_MAX_PROCESSES;
	map = dwunw_walk_in_user ? 0 : bpf_map_lookup_elem(&dwunw_mappings, &place);
	if (map)
		mappings = bpf_map_lookup_elem(map, &zero);
	if (mappings && mappings->process == key) {
		struct dwunw_walk walk = {slot, mappings, mappings->epoch, dwunw_seed(slot, key),
					  0};
		int result;

		slot->stale = mappings->generation != generation;
		if (slot->stale)
			walk.epoch = mappings->permanent_epoch;
		result = dwunw_walk_by_memo(ctx, &walk, memo);
		id = dwunw_hash_to_id(slot);
		if (result == DWUNW_MEMO_KNOWN && !(dwunw_memo_test & DWUNW_MEMO_CHECK) &&
		    dwunw_is_told(slot, id))
			return dwunw_count_root(slot, id);
		dwunw_walk_stack(ctx, &walk, key, result);
		if ((dwunw_memo_test & DWUNW_MEMO_CHECK) && result == DWUNW_MEMO_KNOWN && walk.memo)
			dwunw_memo_check(&walk, id, dwunw_hash_to_id(slot));
		if (slot->stale && slot->stop == DWUNW_STOP_NO_MAPPING)
			slot->stop = DWUNW_STOP_STALE;
		if (dwunw_guess && slot->stop != DWUNW_STOP_ROOT && slot->stop != DWUNW_STOP_DEPTH)
			dwunw_try_fp(ctx, slot, mappings, key);
	}
	if (dwunw_can_finish(slot->stop)) {
		id = dwunw_ship(ctx, slot, key, generation);
		if (!(id & DWUNW_ID_REASON))
			return id;
		slot->stop = id & 15;
	}
	if (slot->fp_root)
		slot->stop = DWUNW_STOP_ROOT;
	if (slot->stop == DWUNW_STOP_ROOT) {
		id = dwunw_count_root(slot, dwunw_hash_to_id(slot));
		dwunw_tell(slot, key, generation, id);
		return id;
	}
	slot->counts[slot->stop & 15]++;
	/* the frames so far take less room than what was dropped */
	if (slot->stop == DWUNW_STOP_RATE ||
	    (slot->stop == DWUNW_STOP_DROPPED && !slot->event.n_frames))
		return DWUNW_ID_REASON | slot->stop;
	if (slot->stop != DWUNW_STOP_DEPTH)
		dwunw_tell_apart(slot);
	id = dwunw_hash_to_id(slot);
	dwunw_tell(slot, key, generation, id);
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
	slot->entry_sp = flags & DWUNW_F_ENTRY ? dwunw_arch_sp(ctx) : 0;
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
	__sync_fetch_and_add(&dwunw_changes, 1);
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

	if (!process) {
		__sync_fetch_and_add(&dwunw_changes, 1);
		return 0;
	}
	process->key = __sync_fetch_and_add(&dwunw_next_process, 2);
	process->generation = 0;
	process->link_map_state = 0;
	__sync_fetch_and_add(&dwunw_changes, 1);
	dwunw_announce(DWUNW_EVENT_PROCESS, process->key);
	return 0;
}

#endif
