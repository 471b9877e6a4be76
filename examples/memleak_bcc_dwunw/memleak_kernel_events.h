/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the BPF programs of kernel mode and user space share. In BPF programs vmlinux.h comes first. */
#ifndef MEMLEAK_KERNEL_EVENTS_H
#define MEMLEAK_KERNEL_EVENTS_H

#include "memleak_dwunw_events.h"

/* Where a block lies: addresses of different kinds may be equal. It is the `image` of a block's key. */
enum memleak_memory { MEMLEAK_SLAB, MEMLEAK_PAGES, MEMLEAK_PERCPU };

/* The tracepoints: X(name, memory, frees). Programs are called memleak_NAME. */
#define MEMLEAK_TRACEPOINTS(X)                                                                     \
	X(kfree, MEMLEAK_SLAB, true)                                                               \
	X(kmem_cache_free, MEMLEAK_SLAB, true)                                                     \
	X(mm_page_free, MEMLEAK_PAGES, true)                                                       \
	X(percpu_free_percpu, MEMLEAK_PERCPU, true)                                                \
	X(kmalloc, MEMLEAK_SLAB, false)                                                            \
	X(kmalloc_node, MEMLEAK_SLAB, false)                                                       \
	X(kmem_cache_alloc, MEMLEAK_SLAB, false)                                                   \
	X(kmem_cache_alloc_node, MEMLEAK_SLAB, false)                                              \
	X(mm_page_alloc, MEMLEAK_PAGES, false)                                                     \
	X(percpu_alloc_percpu, MEMLEAK_PERCPU, false)

enum memleak_tracepoint {
#define MEMLEAK_TRACEPOINT_ENUM(name, memory, frees) MEMLEAK_TP_##name,
	MEMLEAK_TRACEPOINTS(MEMLEAK_TRACEPOINT_ENUM)
#undef MEMLEAK_TRACEPOINT_ENUM
		MEMLEAK_N_TRACEPOINTS,
};

/* How the size follows from the argument that stands for it. */
enum memleak_size {
	MEMLEAK_SIZE_BYTES, /* bytes, times `unit` */
	MEMLEAK_SIZE_CACHE, /* a struct kmem_cache: what its objects take */
	MEMLEAK_SIZE_ORDER, /* `unit`, shifted left so many times */
};

/* Which of a tracepoint's arguments say what; they differ from kernel to kernel. */
struct memleak_arguments {
	__u32 address;
	__u32 size; /* of allocations */
	__u32 kind; /* enum memleak_size */
	__u32 unit;
};

#define MEMLEAK_MAX_BULK 512 /* objects freed at once that are looked at; kfree_rcu() has 510 */

/* X(name, text): as MEMLEAK_COUNTS. */
#define MEMLEAK_KERNEL_COUNTS(X)                                                                   \
	X(NOT_STORED, "blocks not stored: --max-blocks are outstanding")                           \
	X(BUSY, "blocks not stored, or not taken out: an interrupt met their table locked")        \
	X(NO_STACK, "blocks without a stack: more different ones than --stack-storage-size has "   \
		    "room for, or one that could not be read")                                     \
	X(BULK, "frees not seen: in bulks of more than 512")                                       \
	X(NOT_TRACED, "calls not printed: they came faster than they were printed")                \
	X(REPLACED,                                                                                \
	  "blocks whose end was not seen (no probe sees it): their address was given out again")

enum memleak_kernel_count {
#define MEMLEAK_KERNEL_COUNT_ENUM(name, text) MEMLEAK_KERNEL_COUNT_##name,
	MEMLEAK_KERNEL_COUNTS(MEMLEAK_KERNEL_COUNT_ENUM)
#undef MEMLEAK_KERNEL_COUNT_ENUM
		MEMLEAK_N_KERNEL_COUNTS,
};

#endif
