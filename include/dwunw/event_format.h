/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Records of the ring buffer `dwunw_events`, written by dwunw.bpf.h and read by user space.
 *
 * Plain C without other dwunw headers. The includer provides __u8 .. __s64: vmlinux.h in BPF
 * programs, <linux/types.h> elsewhere. All addresses are those of the target process; all sizes
 * are bytes. A tool may put records of its own in the same ring buffer with types from
 * DWUNW_EVENT_TOOL upwards; each record begins with struct dwunw_event.
 */
#ifndef DWUNW_EVENT_FORMAT_H
#define DWUNW_EVENT_FORMAT_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/*
 * Why a stack ended. ROOT alone means that the stack is complete; none of them is an error.
 * X(name, text, finish): `finish` is 1 where user space can go on from a snapshot.
 */
#define DWUNW_STOP_REASONS(X)                                                                      \
	X(ROOT, "root frame reached", 0)                                                           \
	X(NO_PROCESS, "no tables for this process yet", 1)                                         \
	X(STALE, "mappings changed, tables not yet refreshed", 1)                                  \
	X(NO_MAPPING, "pc in no known executable mapping", 1)                                      \
	X(NO_TABLE, "mapping without unwind table", 1)                                             \
	X(EXPRESSION, "rule needs a full DWARF expression", 1)                                     \
	X(NO_CFI, "no call frame information and no sane frame pointer", 0)                        \
	X(REGISTER, "rule needs a register whose value is not known", 0)                           \
	X(BAD_READ, "stack memory could not be read", 0)                                           \
	X(NO_PROGRESS, "the frame chain does not advance", 0)                                      \
	X(DEPTH, "deeper than --perf-max-stack-depth", 0)                                          \
	X(SLICE, "deeper than the copied part of the stack", 0)                                    \
	X(BUSY, "all walk buffers of this CPU in use", 0)                                          \
	X(RATE, "too many unfinished stacks a second", 0)                                          \
	X(DROPPED, "ring buffer full", 0)                                                          \
	X(NOT_WALKED, "left to user space", 1)

enum dwunw_stop_reason {
#define DWUNW_STOP_ENUM(name, text, finish) DWUNW_STOP_##name,
	DWUNW_STOP_REASONS(DWUNW_STOP_ENUM)
#undef DWUNW_STOP_ENUM
		DWUNW_N_STOP_REASONS,
};

/*
 * Stack ids: __s64. Negative: errno. Otherwise, from the top: bit 63 clear; bit 62 set: the id of
 * one unfinished event (its number in the low bits); bit 61 set: no stack was kept, the low bits
 * hold the stop reason; both clear: hash of a stack.
 */
#define DWUNW_ID_EVENT (1LL << 62)
#define DWUNW_ID_REASON (1LL << 61)
#define DWUNW_ID_HASH_MASK (DWUNW_ID_REASON - 1)

#define DWUNW_MAX_REGS 16     /* registers that a walk can carry: dense architecture indices */
#define DWUNW_MAX_FRAMES 1024 /* frames of one stack at most */
#define DWUNW_MAX_RETURNS 64  /* pending uretprobes of a thread (kernel: MAX_URETPROBE_DEPTH) */
#define DWUNW_SLICE_UNIT 1024 /* slices are copied in such pieces */
#define DWUNW_MAX_SLICE (64 * DWUNW_SLICE_UNIT)
#define DWUNW_CUT_SHORT_FRAMES 128 /* frames so far that a cut-short record has room for */

/* How a frame was found; kept in the top byte of its pc, which no user address reaches. */
#define DWUNW_FRAME_FLAG_SHIFT 56
#define DWUNW_FRAME_EXACT 1 /* pc is not a return address: innermost or interrupted by a signal */
#define DWUNW_FRAME_FP 2    /* the caller was found by frame pointer, for want of CFI */
#define DWUNW_FRAME_TRAMPOLINE 4 /* pc was hidden by a uretprobe trampoline */
#define DWUNW_FRAME_SIGNAL 8	 /* signal frame */
#define DWUNW_FRAME_UNKNOWN                                                                        \
	16 /* of pc's file nothing is known: what is mapped there now may be another */
#define DWUNW_FRAME_PC(word) ((word) & ((1ULL << DWUNW_FRAME_FLAG_SHIFT) - 1))
#define DWUNW_FRAME_FLAGS(word) ((__u32)((word) >> DWUNW_FRAME_FLAG_SHIFT))

enum dwunw_event_type {
	DWUNW_EVENT_STACK = 1, /* struct dwunw_stack_event: a stack seen for the first time */
	DWUNW_EVENT_CUT_SHORT, /* struct dwunw_cut_short_event: to be finished in user space */
	DWUNW_EVENT_PROCESS,   /* struct dwunw_event alone: process image changed (exec) */
	DWUNW_EVENT_MAPPINGS, /* struct dwunw_event alone: the dynamic linker added or removed objects */
	DWUNW_EVENT_TOOL = 64, /* first type that belongs to the tool */
};

/* Head of every record. */
struct dwunw_event {
	__u32 type;
	__u32 tgid; /* in the PID namespace of the tool; 0 if it has no number there */
	__u32 tid;
	__u32 cpu;
	__u64 process; /* key of the process image; changes at exec */
	__s64 stack_id;
	__u64 time_ns; /* CLOCK_MONOTONIC */
	char comm[16];
};

/*
 * What code a frame is in, whatever address it was mapped at: number of the ELF file (dwunw_frame.module_id) and vaddr in
 * it; or, with bit 63 set, code without a table: pc and generation of the mappings.
 */
#define DWUNW_CODE_SHIFT 40
#define DWUNW_CODE_MASK ((1ULL << DWUNW_CODE_SHIFT) - 1)
#define DWUNW_CODE_NO_TABLE (1ULL << 63)

/*
 * Followed by n_frames frames, innermost first, of two words (pc and flags; code) or three (pc and flags; code; stack
 * pointer) if has_sp.
 */
struct dwunw_stack_event {
	struct dwunw_event event;
	__u32 n_frames;
	__u32 stop; /* enum dwunw_stop_reason */
	__u32 has_sp;
	__u32 generation; /* of the process's mappings when the stack was taken */
};

/* Registers at the probe. `valid`: bit i for regs[i]. */
struct dwunw_registers {
	__u64 pc;
	__u64 regs[DWUNW_MAX_REGS];
	__u32 valid;
	__u32 reserved;
};

/* A return address that a uretprobe took off the stack (kernel: struct return_instance). */
struct dwunw_return {
	__u64 slot;
	__u64 address;
};

/*
 * Followed by n_returns struct dwunw_return, by n_frames frames of two words as in a stack record (none with details), and by slice_size
 * bytes of the stack. From `second` on, a multiple of
 * DWUNW_SLICE_UNIT, the slice is of another stack, the one that a signal interrupted whose handler runs on an alternate stack.
 */
struct dwunw_cut_short_event {
	struct dwunw_event event;
	struct dwunw_registers registers;
	__u32 stop;
	__u32 skip; /* innermost frames that the caller of dwunw_get_stackid() did not ask for */
	__u32 n_frames;
	__u32 n_returns;
	__u64 trampoline; /* address of the uretprobe trampoline, 0: none */
	__u64 slice_start;
	__u32 slice_size;
	__u32 generation; /* of the process's mappings when the stack was taken */
	__u64 entry_sp;	  /* stack pointer, if the probe is where a function begins; else 0 */
	__u32 fp_root;	  /* the frames were found by frame pointer, up to the root */
	__u32 second;	  /* slice_size where there is none */
	__u64 second_start;
	__u64 missing; /* bit i: unit i of the slice could not be read, its bytes mean nothing */
	__u32 whole;   /* the slice ends where the stack ends */
	__u32 reserved;
};

#endif
