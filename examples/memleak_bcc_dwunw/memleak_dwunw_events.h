/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What memleak's BPF programs and user space share. In BPF programs vmlinux.h comes first. */
#ifndef MEMLEAK_DWUNW_EVENTS_H
#define MEMLEAK_DWUNW_EVENTS_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#include <dwunw/event_format.h> /* dwunw-added: the records of dwunw_events */

/*
 * The probed functions: X(name, kind, arguments). The kind is the cookie of the probe and says where
 * the arguments are.
 */
#define MEMLEAK_FUNCTIONS(X)                                                                       \
	X("malloc", MEMLEAK_MALLOC, 1)                                                             \
	X("calloc", MEMLEAK_CALLOC, 2)                                                             \
	X("realloc", MEMLEAK_REALLOC, 2)                                                           \
	X("reallocarray", MEMLEAK_REALLOCARRAY, 3)                                                 \
	X("posix_memalign", MEMLEAK_POSIX_MEMALIGN, 3)                                             \
	X("memalign", MEMLEAK_MEMALIGN, 2)                                                         \
	X("aligned_alloc", MEMLEAK_ALIGNED_ALLOC, 2)                                               \
	X("valloc", MEMLEAK_VALLOC, 1)                                                             \
	X("pvalloc", MEMLEAK_PVALLOC, 1)                                                           \
	X("free", MEMLEAK_FREE, 1)

enum memleak_function {
#define MEMLEAK_FUNCTION_ENUM(name, kind, arguments) kind,
	MEMLEAK_FUNCTIONS(MEMLEAK_FUNCTION_ENUM)
#undef MEMLEAK_FUNCTION_ENUM
		MEMLEAK_N_FUNCTIONS,
};

/* The processes that are traced have a number, which the probes' cookies carry: cookie = function | number << MEMLEAK_COOKIE_SHIFT. */
#define MEMLEAK_MAX_TARGETS 64 /* power of two */
#define MEMLEAK_COOKIE_SHIFT 8

/* In the ring buffer memleak_events: a target has a child with memory of its own, by fork or, after a vfork, by exec. */
struct memleak_child {
	__u32 pid;     /* in the PID namespace of the tool; 0: it has no number there */
	__u32 tgid;    /* in the initial one */
	__u32 parent;  /* number of the target */
	__u32 by_exec; /* it has nothing of its parent's memory */
	__u64 time_ns; /* CLOCK_MONOTONIC */
};

/* Key of an outstanding block: addresses mean something only within one process image. */
struct memleak_key {
	__u64 addr;
	__u64 image; /* tgid << 32 | low half of the task's exec id */
};

#define MEMLEAK_SIZE_BITS 56 /* as many as a user address has at most */
#define MEMLEAK_MAX_SIZE ((1ULL << MEMLEAK_SIZE_BITS) - 1)

/* 24 bytes: with its key and the kernel's header, a block fills its slab object of 96. */
struct memleak_block {
	__u64 size : MEMLEAK_SIZE_BITS; /* bytes asked for */
	__u64 sample : 8;		/* the step of sampling that chose it: sampling.h */
	__u64 time_ns;			/* CLOCK_MONOTONIC */
	__s64 stack_id;
};

/* -C: key and value of the sums by stack. */
struct memleak_combined_key {
	__s64 stack_id;
	__u64 image; /* as in memleak_key */
};

struct memleak_combined {
	__u64 bytes;
	__u64 blocks;
};

/* -t: in the ring buffer memleak_trace. */
enum memleak_trace_kind { MEMLEAK_TRACE_ALLOC, MEMLEAK_TRACE_FREE };

struct memleak_trace {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 addr;
	__u64 image; /* as in memleak_key */
	__u64 size;  /* bytes asked for */
	__s64 stack_id;
	__u32 tid; /* in the initial PID namespace */
	__u32 kind;
	char comm[16];
};

/* X(name, text): what is counted, and the line that the user sees when it is not zero. */
#define MEMLEAK_COUNTS(X)                                                                          \
	X(FULL, "blocks not stored: --max-blocks are outstanding already")                         \
	X(FULL_BYTES, "bytes were in blocks that were not stored for that")                        \
	X(NOT_STORED, "blocks not stored: memory is short")                                        \
	X(NOT_FREED, "frees not noted: the map of blocks was busy")                                \
	X(NO_THREAD_STATE, "calls not seen: no memory for the state of a thread")                  \
	X(ABANDONED, "allocator calls that did not return (longjmp)")                              \
	X(NO_RESULT, "blocks lost: the address returned by posix_memalign could not be read")      \
	X(NOT_TRACED, "calls not printed: they came faster than they were printed")                \
	X(UNTOLD, "children not followed: ring buffer full")                                       \
	X(NO_STACK, "blocks without a stack: bpf_get_stackid() failed")

enum memleak_count {
#define MEMLEAK_COUNT_ENUM(name, text) MEMLEAK_COUNT_##name,
	MEMLEAK_COUNTS(MEMLEAK_COUNT_ENUM)
#undef MEMLEAK_COUNT_ENUM
		MEMLEAK_N_COUNTS,
};

#endif
