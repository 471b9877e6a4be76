/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * mmap, mremap, munmap: followed as the other calls are, so that those inside a call of an allocator count for nothing. What they do
 * to the ranges that are mapped is for user space to work out: each is told to it, in order. What takes a range away is told at its
 * entry (another thread may be given the range before the call has returned), and again if it fails.
 */
#ifndef MMAP_FAMILY_BPF_H
#define MMAP_FAMILY_BPF_H

/* linux/mman.h, asm-generic/mman.h */
#define MAPPING_MREMAP_DONTUNMAP 4 /* MREMAP_DONTUNMAP */
#define MAPPING_MAP_STACK 0x20000  /* MAP_STACK */

static __always_inline bool is_mapping_call(__u32 function)
{
	return function >= MEMLEAK_MMAP && function <= MEMLEAK_MUNMAP;
}

static __always_inline void tell_mapping(const struct call *call, __u32 kind, __u64 addr,
					 __u64 size, __s64 stack_id)
{
	struct memleak_mapping mapping = {
		.type = MEMLEAK_EVENT_MAPPING,
		.kind = kind,
		.target = call->target,
		.reserves = call->reserves,
		.tid = bpf_get_current_task_btf()->pid,
		.image = current_image(),
		.addr = addr,
		.size = size,
		.caller = call->ra,
		.time_ns = bpf_ktime_get_ns(),
		.stack_id = stack_id,
	};

	if (bpf_ringbuf_output(&memleak_events, &mapping, sizeof(mapping), 0))
		count(MEMLEAK_COUNT_UNTOLD_MAPPINGS);
}

/* Reads the arguments of a call that is followed from now on. */
static __always_inline void mapping_entered(struct pt_regs *ctx, struct call *call)
{
	__u64 addr = PT_REGS_PARM1(ctx), size = PT_REGS_PARM2(ctx);

	call->ra = 0;
	if (RETURN_SIZE)
		bpf_probe_read_user(&call->ra, sizeof(call->ra), (void *)(call->cfa - RETURN_SIZE));
	call->size = call->function == MEMLEAK_MREMAP ? PT_REGS_PARM3(ctx) : size;
	call->wanted = call->function != MEMLEAK_MUNMAP && call->size >= min_size &&
		       call->size <= max_size;
	call->unmaps = call->function == MEMLEAK_MUNMAP ||
		       (call->function == MEMLEAK_MREMAP && size &&
			!(PT_REGS_PARM4(ctx) & MAPPING_MREMAP_DONTUNMAP));
	call->reserves = call->function == MEMLEAK_MMAP && (int)PT_REGS_PARM3(ctx) == 0 &&
			 !(PT_REGS_PARM4(ctx) & MAPPING_MAP_STACK);
	if (call->unmaps)
		tell_mapping(call, MEMLEAK_UNMAPPING, addr, size, 0);
}

static __always_inline void tell_mapped(struct pt_regs *ctx, const struct call *call, __u64 addr)
{
	__s64 stack_id = call->stack_id;

	if (!use_dwunw) { /* dwunw-added */
		stack_id = bpf_get_stackid(ctx, &stack_traces, BPF_F_USER_STACK);
		if (stack_id < 0)
			count(MEMLEAK_COUNT_NO_STACK);
	} /* dwunw-added */
	tell_mapping(call, MEMLEAK_MAPPED, addr, call->size, stack_id);
}

static __always_inline int mapping_returned(struct pt_regs *ctx, const struct call *call, __u64 rc)
{
	bool failed = call->function == MEMLEAK_MUNMAP ? (int)rc != 0 : rc == ~0ULL;

	if (failed && call->unmaps)
		tell_mapping(call, MEMLEAK_KEPT, 0, 0, 0);
	if (failed || call->function == MEMLEAK_MUNMAP)
		return 0;
	if (call->wanted)
		tell_mapped(ctx, call, rc);
	else
		tell_mapping(call, MEMLEAK_MAPPED_OVER, rc, call->size, 0);
	return 0;
}

#endif
