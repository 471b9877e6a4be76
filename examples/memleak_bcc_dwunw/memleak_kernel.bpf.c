// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * memleak's kernel mode: every outstanding block of the kernel's own allocators with its size, age and kernel stack.
 *
 * Raw tracepoints: they need no tracefs. A free is told before the memory can be handed out again, an allocation after: blocks need no
 * more order than that. Programs run in any context, also in the middle of the allocator, so that nothing here may
 * allocate: all maps are allocated in advance.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include <linux/errno.h>
#include "memleak_kernel_events.h"
#include "combined.bpf.h"
#include "sampling.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Set by user space before loading. */
const volatile struct memleak_arguments arguments[MEMLEAK_N_TRACEPOINTS];
const volatile __u64 min_size;
const volatile __u64 max_size = ~0ULL;
const volatile bool missing_free; /* any allocation ends the block at its address */
const volatile bool one_cgroup;	  /* only what tasks below cgroups[0] allocate */

__u32 own_tgid; /* the tool's: its allocations are left out */
__u64 counts[MEMLEAK_N_KERNEL_COUNTS];

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 20);
	__type(key, struct memleak_key);
	__type(value, struct memleak_block);
} blocks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 65536);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, 127 * sizeof(__u64));
} stack_traces SEC(".maps");

/* What a CPU allocates is sampled as what a thread does: an interrupt in between does no harm to what is random. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sampler);
} samplers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} cgroups SEC(".maps");

static __always_inline void count(enum memleak_kernel_count which)
{
	__sync_fetch_and_add(&counts[which], 1);
}

/* Argument number `n`, which is a constant when the program is loaded but not when it is compiled. */
static __always_inline __u64 argument(struct bpf_raw_tracepoint_args *ctx, __u32 n)
{
	__u64 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), &ctx->args[n]);
	return value;
}

static __always_inline __u64 size_argument(struct bpf_raw_tracepoint_args *ctx,
					   const volatile struct memleak_arguments *from)
{
	__u64 value = argument(ctx, from->size);

	switch (from->kind) {
	case MEMLEAK_SIZE_CACHE:
		return BPF_CORE_READ((struct kmem_cache *)value, size);
	case MEMLEAK_SIZE_ORDER:
		return (__u64)from->unit << (value & 31);
	default:
		return value * from->unit;
	}
}

static __always_inline void count_not_traced(void)
{
	count(MEMLEAK_KERNEL_COUNT_NOT_TRACED);
}

#include "trace.bpf.h"

/* In a printed call's `image`, the process stands beside the kind of memory. */
static __always_inline void trace_call(enum memleak_trace_kind kind, const struct memleak_key *key,
				       __u64 size, __s64 stack)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct memleak_key with_process = {
		.addr = key->addr,
		.image = pid_tgid >> 32 << 32 | key->image,
	};

	trace(kind, &with_process, size, stack);
}

/* Whether there was one. Two CPUs never free the same block, nor does one of them hand it out meanwhile. */
static __always_inline bool take_out(const struct memleak_key *key, struct memleak_block *ret)
{
	struct memleak_block *found;
	long err;

	if (combined_only || trace_all) {
		found = bpf_map_lookup_elem(&blocks, key);
		if (!found)
			return false;
		*ret = *found;
	}
	err = bpf_map_delete_elem(&blocks, key);
	if (err == -EBUSY)
		count(MEMLEAK_KERNEL_COUNT_BUSY);
	if (!err && combined_only)
		combined_subtract(key, ret);
	return !err;
}

static __always_inline void store(const struct memleak_key *key, const struct memleak_block *block)
{
	struct memleak_block old = {};
	long err = bpf_map_update_elem(&blocks, key, block, BPF_NOEXIST);

	if (err == -EEXIST) {
		count(MEMLEAK_KERNEL_COUNT_REPLACED);
		take_out(key, &old);
		err = bpf_map_update_elem(&blocks, key, block, BPF_ANY);
	}
	if (err == -EBUSY)
		count(MEMLEAK_KERNEL_COUNT_BUSY);
	else if (err)
		count(MEMLEAK_KERNEL_COUNT_NOT_STORED);
	else if (combined_only && combined_add(key, block))
		count(MEMLEAK_KERNEL_COUNT_NOT_STORED);
}

static __always_inline bool is_wanted(__u64 size)
{
	if (bpf_get_current_pid_tgid() >> 32 == own_tgid || size < min_size || size > max_size)
		return false;
	if (one_cgroup && bpf_current_task_under_cgroup(&cgroups, 0) != 1)
		return false;
	return true;
}

/*
 * The kernel keeps a stack at a place that follows from its hash, and gives up where another one is. All stacks begin with this program and
 * with bpf_trace_run, which are not shown: with one of them the place is a different one.
 */
static __always_inline __s64 stack_id(void *ctx)
{
	__s64 id = bpf_get_stackid(ctx, &stack_traces, 2);

	if (id == -EEXIST)
		id = bpf_get_stackid(ctx, &stack_traces, 1);
	if (id == -EEXIST)
		id = bpf_get_stackid(ctx, &stack_traces, 0);
	if (id < 0)
		count(MEMLEAK_KERNEL_COUNT_NO_STACK);
	return id;
}

static __always_inline bool is_sampled(struct memleak_block *block)
{
	__u32 zero = 0;
	__u8 step = 0;

	if (!sampling_records(bpf_map_lookup_elem(&samplers, &zero), block->size, &step))
		return false;
	block->sample = step;
	return true;
}

static __always_inline int on_alloc(struct bpf_raw_tracepoint_args *ctx, __u32 tracepoint,
				    enum memleak_memory memory)
{
	const volatile struct memleak_arguments *from = &arguments[tracepoint];
	struct memleak_key key = {.addr = argument(ctx, from->address), .image = memory};
	struct memleak_block block = {};

	if (!key.addr)
		return 0;
	if (missing_free && take_out(&key, &block))
		count(MEMLEAK_KERNEL_COUNT_REPLACED);
	block.size = size_argument(ctx, from);
	if (!is_wanted(block.size) || !is_sampled(&block))
		return 0;
	block.time_ns = bpf_ktime_get_ns();
	block.stack_id = stack_id(ctx);
	store(&key, &block);
	if (trace_all)
		trace_call(MEMLEAK_TRACE_ALLOC, &key, block.size, block.stack_id);
	return 0;
}

static __always_inline int on_free(struct bpf_raw_tracepoint_args *ctx, __u32 tracepoint,
				   enum memleak_memory memory)
{
	struct memleak_key key = {.addr = argument(ctx, arguments[tracepoint].address),
				  .image = memory};
	struct memleak_block block = {};

	if (key.addr && take_out(&key, &block) && trace_all)
		trace_call(MEMLEAK_TRACE_FREE, &key, block.size, stack_id(ctx));
	return 0;
}

#define MEMLEAK_TRACEPOINT_PROGRAM(name, memory, frees)                                            \
	SEC("raw_tp/" #name)                                                                       \
	int memleak_##name(struct bpf_raw_tracepoint_args *ctx)                                    \
	{                                                                                          \
		return frees ? on_free(ctx, MEMLEAK_TP_##name, memory)                             \
			     : on_alloc(ctx, MEMLEAK_TP_##name, memory);                           \
	}
MEMLEAK_TRACEPOINTS(MEMLEAK_TRACEPOINT_PROGRAM)

/*
 * A program does not run on a CPU that is in the middle of it. What an interrupt then frees, another program sees: there are two for
 * each tracepoint of frees, and the second finds nothing left to do but then. A free that is lost would be a leak that is none;
 * interrupts allocate less, and what they do is counted.
 */
#define MEMLEAK_AGAIN_true(name, memory)                                                           \
	SEC("raw_tp/" #name)                                                                       \
	int memleak_again_##name(struct bpf_raw_tracepoint_args *ctx)                              \
	{                                                                                          \
		return on_free(ctx, MEMLEAK_TP_##name, memory);                                    \
	}
#define MEMLEAK_AGAIN_false(name, memory)
#define MEMLEAK_AGAIN(name, memory, frees) MEMLEAK_AGAIN_##frees(name, memory)
MEMLEAK_TRACEPOINTS(MEMLEAK_AGAIN)

/* kmem_cache_free_bulk(cache, n, objects), also what comes of kfree_rcu(): passes no tracepoint. */
SEC("kprobe")
int memleak_free_bulk(struct pt_regs *ctx)
{
	__u64 n = PT_REGS_PARM2(ctx), *objects = (__u64 *)PT_REGS_PARM3(ctx);

	for (__u32 i = 0; i < MEMLEAK_MAX_BULK && i < n; i++) {
		struct memleak_key key = {.image = MEMLEAK_SLAB};
		struct memleak_block block = {};

		if (bpf_probe_read_kernel(&key.addr, sizeof(key.addr), &objects[i]))
			break;
		if (key.addr && take_out(&key, &block) && trace_all)
			trace_call(MEMLEAK_TRACE_FREE, &key, block.size,
				   bpf_get_stackid(ctx, &stack_traces, 0));
	}
	if (n > MEMLEAK_MAX_BULK)
		__sync_fetch_and_add(&counts[MEMLEAK_KERNEL_COUNT_BULK], n - MEMLEAK_MAX_BULK);
	return 0;
}

/* Run once by the tool, on itself: its number where PID namespaces are not looked at. */
SEC("raw_tp")
int memleak_self(void *ctx)
{
	own_tgid = bpf_get_current_pid_tgid() >> 32;
	return 0;
}
