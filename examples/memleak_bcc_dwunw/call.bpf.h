/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The allocator call that a thread is in, from its entry to its return. */
#ifndef CALL_BPF_H
#define CALL_BPF_H

#include "moved_arguments.bpf.h"
#include "return_probe.bpf.h"
#include "sampling.bpf.h"
#include "string_size.bpf.h"

struct call {
	__u64 cfa; /* stack pointer once the call has returned: identifies it; 0: none */
	__u64 size;
	__s64 stack_id;
	__u32 function;
	__u32 period; /* probes_period at its entry */
	__u8 wanted;  /* size within bounds, and sampled */
	__u8 has_old;
	__u8 sample;   /* the step of sampling */
	__u8 unmaps;   /* munmap, mremap: what was there has been told of as gone */
	__u8 target;   /* number */
	__u8 reserves; /* mmap: see struct memleak_mapping */
	__u64 result;  /* posix_memalign: where the address will be stored */
	__u64 ra;      /* MEMLEAK_NEW, the mmap family: its return address */
	struct sampler sampler;
	struct memleak_key old_key; /* realloc: the block taken out at entry */
	struct memleak_block old;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct call);
} calls SEC(".maps");

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
	case MEMLEAK_STRDUP:
	case MEMLEAK_STRNDUP:
		call->size =
			string_size(args[0], call->function == MEMLEAK_STRNDUP ? args[1] : ~0ULL);
		break;
	default: /* MEMLEAK_MALLOC */
		call->size = args[0];
		break;
	}
}

#endif
