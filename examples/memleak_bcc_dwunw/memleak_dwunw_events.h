/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What memleak's BPF programs and user space share. In BPF programs vmlinux.h comes first. */
#ifndef MEMLEAK_DWUNW_EVENTS_H
#define MEMLEAK_DWUNW_EVENTS_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#include <dwunw/event_format.h> /* dwunw-added: the records of dwunw_events */

/*
 * Kinds of probed functions: what a probe's cookie says, that is where the arguments are and what the function does. Which names have
 * which kind: allocator_functions.c.
 */
enum memleak_function {
	MEMLEAK_MALLOC, /* (size) */
	MEMLEAK_CALLOC,
	MEMLEAK_REALLOC,
	MEMLEAK_REALLOCARRAY,
	MEMLEAK_POSIX_MEMALIGN,
	MEMLEAK_MEMALIGN, /* (alignment, size) */
	MEMLEAK_STRDUP,	  /* (string) */
	MEMLEAK_STRNDUP,  /* (string, length) */
	MEMLEAK_FREE,	  /* (block) */
	MEMLEAK_NEW,	  /* (size); may throw, so it has no return probe */
	MEMLEAK_THROW,	  /* of the unwinder: leaves functions without a return */
	/* the mmap family, in one piece */
	MEMLEAK_MMAP,	/* (address, size, protection, flags, ...) */
	MEMLEAK_MREMAP, /* (address, size, new size, flags, ...) */
	MEMLEAK_MUNMAP, /* (address, size) */
	MEMLEAK_N_FUNCTIONS,
};

/* The processes that are traced have a number, which the probes' cookies carry: cookie = function | number << MEMLEAK_COOKIE_SHIFT. */
#define MEMLEAK_MAX_TARGETS 64 /* power of two */
#define MEMLEAK_COOKIE_SHIFT 8
/* Above: 8 bits for each of the first arguments. 0: it is where it was at the entry; else 1 + the dense index of the register that has it. */
#define MEMLEAK_COOKIE_ARGS_SHIFT 32
#define MEMLEAK_COOKIE_ARGS 3
/* Of a gate (gates.h), above the number: the dense index of the register that has the block, bytes to the return address, condition. */
#define MEMLEAK_COOKIE_HOLDER_SHIFT 32
#define MEMLEAK_COOKIE_BELOW_SHIFT 40
#define MEMLEAK_COOKIE_CONDITION_SHIFT 56

/* Records of the ring buffer memleak_events; each begins with its type. */
enum memleak_event {
	MEMLEAK_EVENT_CHILD = 1,
	MEMLEAK_EVENT_MAPPING,
	MEMLEAK_EVENT_EXEC, /* the command of -c has called exec, and stops; nothing follows */
	MEMLEAK_EVENT_EXEC_BY_THREAD,
};

enum memleak_mapping_kind {
	MEMLEAK_MAPPED = 1,  /* by mmap or mremap */
	MEMLEAK_MAPPED_OVER, /* the same, of a size that is not wanted: what was there is gone */
	MEMLEAK_UNMAPPING,   /* munmap or mremap begins */
	MEMLEAK_KEPT,	     /* it has failed */
};

/* A call of the mmap family, in the order in which they had their effect. */
struct memleak_mapping {
	__u32 type;	/* MEMLEAK_EVENT_MAPPING */
	__u32 kind;	/* enum memleak_mapping_kind */
	__u32 target;	/* its number */
	__u32 reserves; /* mmap: address space alone, and not for the stack of a thread */
	__u32 tid;	/* of the caller */
	__u32 unused;
	__u64 image;	  /* as in struct memleak_key */
	__u64 addr, size; /* bytes; not of MEMLEAK_KEPT */
	__u64 caller;	  /* where the call returns to */
	__u64 time_ns;	  /* CLOCK_MONOTONIC */
	__s64 stack_id;	  /* of MEMLEAK_MAPPED */
};

/* A target has a child with memory of its own, by fork or, after a vfork, by exec. */
struct memleak_child {
	__u32 type;    /* MEMLEAK_EVENT_CHILD */
	__u32 pid;     /* in the PID namespace of the tool; 0: it has no number there */
	__u32 tgid;    /* in the initial one */
	__u32 parent;  /* number of the target */
	__u32 by_exec; /* it has nothing of its parent's memory */
	__u64 time_ns; /* CLOCK_MONOTONIC */
};

/* Another thread of a process than its first has called exec: what was attached to the first is not to the process any more. */
struct memleak_exec_by_thread {
	__u32 type;    /* MEMLEAK_EVENT_EXEC_BY_THREAD */
	__u32 tgid;    /* in the initial PID namespace */
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
	X(FULL_STACKS, "blocks not stored: -C has no room for more stacks (--stack-storage-size)") \
	X(NOT_STORED, "blocks not stored: memory is short")                                        \
	X(NOT_FREED, "frees not noted: the map of blocks was busy")                                \
	X(NO_THREAD_STATE, "calls not seen: no memory for the state of a thread")                  \
	X(ABANDONED, "allocator calls that did not return (longjmp)")                              \
	X(NO_RESULT, "blocks lost: the address returned by posix_memalign could not be read")      \
	X(LONG_STRING, "copies of strings counted as 256 KiB: they are longer")                    \
	X(NOT_TRACED, "calls not printed: they came faster than they were printed")                \
	X(UNTOLD, "children not followed: ring buffer full")                                       \
	X(UNTOLD_EXECS,                                                                            \
	  "calls of exec by a thread not heard of, and nothing after them: ring buffer full")      \
	X(UNTOLD_MAPPINGS, "calls of mmap, mremap, munmap lost: ring buffer full")                 \
	X(NO_STACK, "blocks without a stack: bpf_get_stackid() failed (a larger "                  \
		    "--stack-storage-size may help)")

enum memleak_count {
#define MEMLEAK_COUNT_ENUM(name, text) MEMLEAK_COUNT_##name,
	MEMLEAK_COUNTS(MEMLEAK_COUNT_ENUM)
#undef MEMLEAK_COUNT_ENUM
		MEMLEAK_N_COUNTS,
};

#endif
