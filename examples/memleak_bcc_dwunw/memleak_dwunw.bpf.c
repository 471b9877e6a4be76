// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * memleak's probes: every outstanding block with its size, age and the stack that allocated it.
 *
 * One call is followed from its entry to its return. The outermost allocator call owns the block: what it calls in
 * turn (calloc -> malloc, realloc -> free) records nothing.
 */
#include "vmlinux.h"
#include <asm-generic/errno-base.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include <dwunw/dwunw.bpf.h> /* dwunw-added */
#include "memleak_dwunw_events.h"
#include "load.bpf.h"
#include "moved_arguments.bpf.h"
#include "return_probe.bpf.h"
#include "sampling.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Set by user space before loading. */
const volatile __u64 min_size;
const volatile __u64 max_size = ~0ULL;
const volatile bool use_dwunw; /* dwunw-added */
const volatile bool follow_forks;
const volatile __u64 pidns_ino; /* PID namespace of the tool; 0: the initial one */

__u64 counts[MEMLEAK_N_COUNTS];

/* By number of the target: thread group of the first call seen; image since its last exec, 0: it has not called exec. */
__u32 target_tgids[MEMLEAK_MAX_TARGETS];
__u64 target_images[MEMLEAK_MAX_TARGETS];
/* Where the tool's numbers are not the kernel's: its number for a target whose thread group is not known yet; 0: none. */
__u32 target_pids[MEMLEAK_MAX_TARGETS];
__u32 exec_signal; /* stops target 0 at its exec, for user space to let it go on; 0: it is not stopped */

/* The allocator call that a thread is in. */
struct call {
	__u64 cfa; /* stack pointer once the call has returned: identifies it; 0: none */
	__u64 size;
	__u64 result; /* posix_memalign: where the address will be stored */
	__u64 ra;     /* MEMLEAK_NEW, the mmap family: its return address */
	__s64 stack_id;
	struct memleak_key old_key; /* realloc: the block taken out at entry */
	struct memleak_block old;
	__u32 function;
	__u8 wanted; /* size within bounds, and sampled */
	__u8 has_old;
	__u8 sample;   /* the step of sampling */
	__u8 unmaps;   /* munmap, mremap: what was there has been told of as gone */
	__u8 target;   /* number */
	__u8 reserves; /* mmap: see struct memleak_mapping */
	__u32 period;  /* probes_period at its entry */
	struct sampler sampler;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct call);
} calls SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1); /* --max-blocks */
	__type(key, struct memleak_key);
	__type(value, struct memleak_block);
} blocks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 131072);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, 127 * sizeof(__u64));
} stack_traces SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} memleak_events SEC(".maps");

/* Thread groups that share a target's memory (vfork) until they call exec -> number of the target. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u32);
} vforked SEC(".maps");

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

/*
 * Whether the call at `call->cfa` can still return: its return address is the kernel's trampoline, or, where it has no return probe,
 * what it was. It is not after a longjmp, once the stack has been used again.
 */
static __noinline int call_is_live(struct call *call)
{
	__u64 word = 0;

	if (!call || !RETURN_SIZE)
		return 1;
	bpf_probe_read_user(&word, sizeof(word), (void *)(call->cfa - RETURN_SIZE));
	return word == return_trampoline() || (call->function == MEMLEAK_NEW && word == call->ra);
}

#include "mmap_family.bpf.h"

/* nmemb * size; all ones where it overflows (the call will fail). */
static __always_inline __u64 product(__u64 nmemb, __u64 size)
{
	__u64 most = size ? ~0ULL / size : ~0ULL;

	barrier_var(most); /* or clang multiplies in 128 bits, which BPF cannot */
	return nmemb > most ? ~0ULL : nmemb * size;
}

static __always_inline void read_arguments(struct pt_regs *ctx, __u64 cookie, struct call *call,
					   __u64 *old)
{
	__u64 args[] = {PT_REGS_PARM1(ctx), PT_REGS_PARM2(ctx), PT_REGS_PARM3(ctx)};

	find_moved_arguments(ctx, cookie, args);
	*old = 0;
	call->result = 0;
	switch (call->function) {
	case MEMLEAK_CALLOC:
		call->size = product(args[0], args[1]);
		break;
	case MEMLEAK_REALLOC:
		*old = args[0];
		call->size = args[1];
		break;
	case MEMLEAK_REALLOCARRAY:
		*old = args[0];
		call->size = product(args[1], args[2]);
		break;
	case MEMLEAK_POSIX_MEMALIGN:
		call->result = args[0];
		call->size = args[2];
		break;
	case MEMLEAK_MEMALIGN:
		call->size = args[1];
		break;
	default: /* MEMLEAK_MALLOC */
		call->size = args[0];
		break;
	}
}

#include "combined.bpf.h"

static __always_inline void count_not_traced(void)
{
	count(MEMLEAK_COUNT_NOT_TRACED);
}

#include "trace.bpf.h"

/* Without the innermost `skip` frames. */
static __always_inline __s64 stack_here(struct pt_regs *ctx, __u64 skip)
{
	if (use_dwunw)				     /* dwunw-added */
		return dwunw_get_stackid(ctx, skip); /* dwunw-added */
	return bpf_get_stackid(ctx, &stack_traces, BPF_F_USER_STACK | skip);
}

/* Takes the block at `addr` out of the map; remembers it in `call` (not NULL) to put it back if the call fails. */
static __always_inline void take_out(struct call *call, __u64 addr)
{
	struct memleak_block *block;
	int err;

	call->old_key.addr = addr;
	call->old_key.image = current_image();
	block = bpf_map_lookup_elem(&blocks, &call->old_key);
	if (!block)
		return;
	call->old = *block;
	call->has_old = 1;
	err = bpf_map_delete_elem(&blocks, &call->old_key);
	if (err && err != -ENOENT)
		count(MEMLEAK_COUNT_NOT_FREED);
	if (!err && combined_only)
		combined_subtract(&call->old_key, &call->old);
}

/* A block that is there already is one whose free was not seen. */
static __always_inline int combine(const struct memleak_key *key, const struct memleak_block *block)
{
	struct memleak_block *before = bpf_map_lookup_elem(&blocks, key);

	if (before)
		combined_subtract(key, before);
	return combined_add(key, block);
}

static __always_inline void store(const struct memleak_key *key, const struct memleak_block *block)
{
	int err; /* not long: before Linux 6.4 (d7ba4cc900bf) the upper half of the result is not set */

	err = combined_only ? combine(key, block) : 0;
	if (err) {
		count(err == -E2BIG ? MEMLEAK_COUNT_FULL_STACKS : MEMLEAK_COUNT_NOT_STORED);
		return;
	}
	err = bpf_map_update_elem(&blocks, key, block, BPF_ANY);
	if (!err)
		return;
	if (err == -E2BIG) {
		count(MEMLEAK_COUNT_FULL);
		count_many(MEMLEAK_COUNT_FULL_BYTES, block->size);
	} else {
		count(MEMLEAK_COUNT_NOT_STORED);
	}
	if (combined_only)
		combined_subtract(key, block);
}

/* For -t. The probe need not be where free() begins. */
static __always_inline void trace_free(struct pt_regs *ctx, const struct memleak_key *key,
				       __u64 size)
{
	__u64 begin = work_begins();

	trace(MEMLEAK_TRACE_FREE, key, size, stack_here(ctx, 1));
	work_ends(begin);
}

/* 0: the block at `key` was there, and is not any more. */
static __always_inline int remove(struct pt_regs *ctx, const struct memleak_key *key)
{
	struct memleak_block *block, removed;
	int err;

	if (!combined_only && !trace_all)
		return bpf_map_delete_elem(&blocks, key);
	block = bpf_map_lookup_elem(&blocks, key);
	if (!block)
		return -ENOENT;
	removed = *block;
	err = bpf_map_delete_elem(&blocks, key);
	if (!err && combined_only)
		combined_subtract(key, &removed);
	if (!err && trace_all)
		trace_free(ctx, key, removed.size);
	return err;
}

/*
 * A vfork child shares the target's memory, and so, attached by perf events, its probes. Two threads of the target
 * may be the first at once.
 */
static __always_inline bool is_target(__u32 number, __u32 tgid)
{
	__u32 *target = &target_tgids[number & (MEMLEAK_MAX_TARGETS - 1)];
	__u32 first;

	if (*target == tgid)
		return true;
	first = __sync_val_compare_and_swap(target, 0, tgid);
	return first == 0 || first == tgid;
}

SEC("uprobe.multi")
int memleak_enter(struct pt_regs *ctx)
{
	__u64 cfa = PT_REGS_SP(ctx) + RETURN_SIZE, old, begin;
	__u32 tgid = bpf_get_current_task_btf()->tgid;
	__u64 cookie = bpf_get_attach_cookie(ctx);
	__u32 function = cookie & ((1 << MEMLEAK_COOKIE_SHIFT) - 1);
	struct call *call;

	load_count(function);
	if (!is_target(cookie >> MEMLEAK_COOKIE_SHIFT, tgid))
		return 0;
	call = bpf_task_storage_get(&calls, bpf_get_current_task_btf(), 0,
				    BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!call) {
		count(MEMLEAK_COUNT_NO_THREAD_STATE);
		return 0;
	}
	/* operator new in the same place: one that jumps to another, or the next after one that threw */
	if (call->cfa && !from_before(call->function, call->period) &&
	    !(call->cfa == cfa && call->function == MEMLEAK_NEW && function == MEMLEAK_NEW)) {
		if (call->cfa >= cfa && call_is_live(call))
			return 0; /* nested in it, or its tail call */
		count(MEMLEAK_COUNT_ABANDONED);
	}
	call->cfa = cfa;
	call->function = function;
	call->period = probes_period;
	if (RETURN_SIZE && function == MEMLEAK_NEW)
		bpf_probe_read_user(&call->ra, sizeof(call->ra), (void *)(cfa - RETURN_SIZE));
	call->has_old = 0;
	read_arguments(ctx, cookie, call, &old);
	call->wanted = call->size >= min_size && call->size <= max_size &&
		       (is_mapping_call(function) ||
			sampling_records(&call->sampler, call->size, &call->sample));
	if (old)
		take_out(call, old);
	call->target = (cookie >> MEMLEAK_COOKIE_SHIFT) & (MEMLEAK_MAX_TARGETS - 1);
	if (is_mapping_call(function))
		mapping_entered(ctx, call);
	begin = call->wanted ? work_begins() : 0;
	if ((call->wanted || (trace_all && call->has_old)) && use_dwunw)    /* dwunw-added */
		call->stack_id = dwunw_get_stackid(ctx, DWUNW_F_ENTRY | 1); /* dwunw-added */
	work_ends(begin);
	return 0;
}

/* The call failed: the old block of a realloc is as it was. */
static __always_inline void put_back(struct call *call)
{
	if (!call->has_old || call->size == 0) /* glibc: realloc(p, 0) frees and returns NULL */
		return;
	store(&call->old_key, &call->old);
}

/* The block that a call made, its return value being `rc`; 0: it failed. */
static __always_inline __u64 returned_block(const struct call *call, __u64 rc)
{
	__u64 addr = 0;

	if (call->function != MEMLEAK_POSIX_MEMALIGN)
		return rc;
	if ((int)rc)
		return 0;
	if (bpf_probe_read_user(&addr, sizeof(addr), (void *)call->result))
		count(MEMLEAK_COUNT_NO_RESULT);
	return addr;
}

/* The address is given out again: the block that was there has been freed, unseen. */
static __always_inline void drop_unseen(struct memleak_key *key)
{
	if (!measure_load || !frees_unseen)
		return;
	key->image = current_image();
	bpf_map_delete_elem(&blocks, key);
}

/* A function has returned, or is about to, with the stack pointer at `cfa` then. */
static __always_inline int returned(struct pt_regs *ctx, struct call *call, __u64 cfa)
{
	struct memleak_key key = {};
	struct memleak_block block = {};
	__u64 rc = PT_REGS_RC(ctx), begin;
	bool freed, wanted;

	if (!call || !call->cfa || call->cfa > cfa)
		return 0; /* the return of a nested call */
	if (call->cfa < cfa) {
		count(MEMLEAK_COUNT_ABANDONED);
		call->cfa = 0;
		return 0;
	}
	call->cfa = 0;
	if (is_mapping_call(call->function))
		return mapping_returned(ctx, call, rc);
	key.addr = returned_block(call, rc);
	if (!key.addr)
		put_back(call);
	else if (!call->wanted)
		drop_unseen(&key);
	freed = trace_all && call->has_old && (key.addr || call->size == 0);
	wanted = key.addr && call->wanted;
	if (!freed && !wanted)
		return 0;
	begin = work_begins();
	block.stack_id = call->stack_id;
	if (!use_dwunw) { /* dwunw-added */
		block.stack_id = bpf_get_stackid(ctx, &stack_traces, BPF_F_USER_STACK);
		if (block.stack_id < 0)
			count(MEMLEAK_COUNT_NO_STACK);
	} /* dwunw-added */
	if (freed)
		trace(MEMLEAK_TRACE_FREE, &call->old_key, call->old.size, block.stack_id);
	if (!wanted) {
		work_ends(begin);
		return 0;
	}
	key.image = current_image();
	block.size = call->size < MEMLEAK_MAX_SIZE ? call->size : MEMLEAK_MAX_SIZE;
	block.sample = call->sample;
	block.time_ns = bpf_ktime_get_ns();
	store(&key, &block);
	if (trace_all)
		trace(MEMLEAK_TRACE_ALLOC, &key, block.size, block.stack_id);
	work_ends(begin);
	return 0;
}

SEC("uprobe.multi")
int memleak_exit(struct pt_regs *ctx)
{
	struct call *call = bpf_task_storage_get(&calls, bpf_get_current_task_btf(), 0, 0);

	return returned(ctx, call, PT_REGS_SP(ctx));
}

/* On the return instructions of operator new, which other functions may share. */
SEC("uprobe.multi")
int memleak_return(struct pt_regs *ctx)
{
	struct call *call = bpf_task_storage_get(&calls, bpf_get_current_task_btf(), 0, 0);

	if (!call || call->function != MEMLEAK_NEW)
		return 0;
	return returned(ctx, call, PT_REGS_SP(ctx) + RETURN_SIZE);
}

/* An exception is thrown: the operator new that it comes from does not return. */
SEC("uprobe.multi")
int memleak_throw(struct pt_regs *ctx)
{
	struct call *call = bpf_task_storage_get(&calls, bpf_get_current_task_btf(), 0, 0);

	if (call && call->function == MEMLEAK_NEW && call->cfa > PT_REGS_SP(ctx))
		call->cfa = 0;
	return 0;
}

SEC("uprobe.multi")
int memleak_free(struct pt_regs *ctx)
{
	struct memleak_key key = {.addr = PT_REGS_PARM1(ctx)};
	struct call *call;
	int err;

	load_count(MEMLEAK_FREE);
	if (!key.addr)
		return 0;
	key.image = current_image();
	err = remove(ctx, &key);
	if (err == 0)
		return 0;
	if (err != -ENOENT)
		count(MEMLEAK_COUNT_NOT_FREED);
	/* inside the realloc that has taken it out: not to be put back */
	call = bpf_task_storage_get(&calls, bpf_get_current_task_btf(), 0, 0);
	if (call && call->has_old && call->old_key.addr == key.addr) {
		call->has_old = 0;
		if (trace_all)
			trace_free(ctx, &key, call->old.size);
	}
	return 0;
}

/* For placement_check(). */
SEC("uprobe.multi")
int memleak_nothing(struct pt_regs *ctx)
{
	return 0;
}

#include "processes.bpf.h"
