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
#include "blocks.bpf.h"
#include "call.bpf.h"
#include "gate.bpf.h"
#include "tick.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Set by user space before loading. */
const volatile __u64 min_size;
const volatile __u64 max_size = ~0ULL;
const volatile bool use_dwunw; /* dwunw-added */
const volatile bool no_stacks; /* for benchmarks: the accounting alone */
const volatile bool follow_forks;
const volatile __u64 pidns_ino; /* PID namespace of the tool; 0: the initial one */

/* By number of the target: thread group of the first call seen; image since its last exec, 0: it has not called exec. */
__u32 target_tgids[MEMLEAK_MAX_TARGETS];
__u64 target_images[MEMLEAK_MAX_TARGETS];
/* Where the tool's numbers are not the kernel's: its number for a target whose thread group is not known yet; 0: none. */
__u32 target_pids[MEMLEAK_MAX_TARGETS];
__u32 exec_signal; /* stops target 0 at its exec, for user space to let it go on; 0: it is not stopped */

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

#include "mmap_family.bpf.h"

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

/*
 * Takes the block at `addr` out of the map; remembers it in `call` to put it back if the call fails. A function of its own: the
 * verifier is to go on from here once, not from each of its ways.
 */
static __noinline int take_out(struct call *call, __u64 addr)
{
	int err;

	if (!call)
		return 0;
	call->old_key.addr = addr;
	call->old_key.image = current_image();
	err = take_block(&call->old_key, &call->old);
	call->has_old = err != -ENOENT;
	if (!err && combined_only)
		combined_subtract(&call->old_key, &call->old);
	return 0;
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
	struct memleak_block removed;
	int err;

	if (!combined_only && !trace_all)
		return take_block(key, 0);
	err = take_block(key, &removed);
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
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 cookie = bpf_get_attach_cookie(ctx);
	__u32 function = cookie & ((1 << MEMLEAK_COOKIE_SHIFT) - 1);
	struct call *call;

	load_count(function);
	if (!is_target(cookie >> MEMLEAK_COOKIE_SHIFT, task->tgid))
		return 0;
	call = bpf_task_storage_get(&calls, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
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
	/* dwunw-added begin */
	if (use_dwunw && !no_stacks && (call->wanted || (trace_all && call->has_old)))
		call->stack_id = dwunw_get_stackid(ctx, DWUNW_F_ENTRY | 1);
	/* dwunw-added end */
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
	take_block(key, 0);
}

/* A function has returned `rc`, or is about to, with the stack pointer at `cfa` then. */
static __always_inline int returned(struct pt_regs *ctx, struct call *call, __u64 cfa, __u64 rc)
{
	struct memleak_key key = {};
	struct memleak_block block = {};
	__u64 begin;
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
	if (!use_dwunw && !no_stacks) { /* dwunw-added */
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
	block.time_ns = tick_ns();
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

	return returned(ctx, call, PT_REGS_SP(ctx), PT_REGS_RC(ctx));
}

/* On the return instructions of operator new, which other functions may share. */
SEC("uprobe.multi")
int memleak_return(struct pt_regs *ctx)
{
	struct call *call = bpf_task_storage_get(&calls, bpf_get_current_task_btf(), 0, 0);

	if (!call || call->function != MEMLEAK_NEW)
		return 0;
	return returned(ctx, call, PT_REGS_SP(ctx) + RETURN_SIZE, PT_REGS_RC(ctx));
}

/*
 * On a conditional jump that leads, one way, to nothing but a return (gates.h). What follows it cannot fail, and calls nothing: the block is
 * as good as returned. Where the return instruction has a probe too, for other ways to it, the call has ended by then.
 */
SEC("uprobe.multi")
int memleak_gate(struct pt_regs *ctx)
{
	struct call *call = bpf_task_storage_get(&calls, bpf_get_current_task_btf(), 0, 0);
	__u64 cookie;

	if (!call || call->function != MEMLEAK_NEW)
		return 0;
	cookie = bpf_get_attach_cookie(ctx);
	if (!gate_is_passed(ctx, cookie))
		return 0;
	return returned(ctx, call, gate_cfa(ctx, cookie), gate_result(ctx, cookie));
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

/* A function is called that frees the block at `addr`. */
static __always_inline int freed(struct pt_regs *ctx, __u64 addr)
{
	struct memleak_key key = {.addr = addr};
	struct call *call;

	load_count(MEMLEAK_FREE);
	if (!key.addr)
		return 0;
	key.image = current_image();
	if (remove(ctx, &key) == 0)
		return 0;
	/* inside the realloc that has taken it out: not to be put back */
	call = bpf_task_storage_get(&calls, bpf_get_current_task_btf(), 0, 0);
	if (call && call->has_old && call->old_key.addr == key.addr) {
		call->has_old = 0;
		if (trace_all)
			trace_free(ctx, &key, call->old.size);
	}
	return 0;
}

SEC("uprobe.multi")
int memleak_free(struct pt_regs *ctx)
{
	return freed(ctx, PT_REGS_PARM1(ctx));
}

/* A program of its own: to ask for the cookie takes time. */
SEC("uprobe.multi")
int memleak_free_moved(struct pt_regs *ctx)
{
	__u64 args[MEMLEAK_COOKIE_ARGS] = {};

	copy_moved_arguments(ctx, bpf_get_attach_cookie(ctx), args);
	return freed(ctx, args[0]);
}

/* For placement_check(). */
SEC("uprobe.multi")
int memleak_nothing(struct pt_regs *ctx)
{
	return 0;
}

#include "processes.bpf.h"
