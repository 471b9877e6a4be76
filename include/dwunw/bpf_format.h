/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Values of the BPF maps: shared by the BPF side and by user space. Sizes in bytes. */
#ifndef DWUNW_BPF_FORMAT_H
#define DWUNW_BPF_FORMAT_H

#include "event_format.h"
#include "step_types.h"
#include "table_format.h"

/*
 * Table space: one 32-bit address space of bytes, cut into shards. A part of a table (header, page
 * directory, the rows of one page, the rules) lies whole in one shard.
 */
#define DWUNW_SHARD_SHIFT 21
#define DWUNW_SHARD_SIZE (1u << DWUNW_SHARD_SHIFT)
#define DWUNW_SHARD_MASK (DWUNW_SHARD_SIZE - 1)
#define DWUNW_MAX_SHARDS 512

#define DWUNW_MAX_PROCESSES 1024 /* a process has place key % this; two at one place: told apart */
#define DWUNW_MAX_MAPPINGS 2048	 /* executable mappings of one process */
#define DWUNW_MAPPING_STEPS 12	 /* halvings that a search over them takes */

/* A table in table space. */
struct dwunw_space_table {
	__u64 first_page;
	__u32 n_pages;
	__u32 pages; /* struct dwunw_table_page[], whose `rows` are addresses in table space */
	__u32 rules;
	__u32 reserved;
};

#define DWUNW_MAPPING_PERMANENT 1 /* as long as the process image */

struct dwunw_mapping {
	__u64 start, end;
	__u64 load_bias;
	__u32 table_id; /* 0: code without CFI */
	__u32 table;	/* struct dwunw_space_table; 0: not loaded */
	__u32 flags;	/* DWUNW_MAPPING_* */
	__u32 reserved;
};

struct dwunw_mappings {
	__u64 process;	       /* key */
	__u64 epoch;	       /* differs with every publication, over all processes */
	__u64 permanent_epoch; /* the same, but stays while the permanent ones do */
	__u32 generation;      /* of the process, when its mappings were read */
	__u32 n;
	struct dwunw_mapping mappings[DWUNW_MAX_MAPPINGS];
};

/* What the kernel knows of a process. Made by either side, then written by BPF programs only. */
struct dwunw_process {
	__u64 key; /* process image: odd ones given by user space, even ones by BPF programs */
	__u32 generation;     /* counts changes after which old mappings are not to be trusted */
	__u32 link_map_state; /* r_state of the dynamic linker, when it last called its hook */
};

/* Why an event did not become a plain known stack: indices of dwunw_slot.counts after the stop reasons. */
enum dwunw_count {
	DWUNW_COUNT_FULL_WALKS = DWUNW_N_STOP_REASONS, /* walks restarted with all registers */
	DWUNW_COUNT_FP_STACKS,			       /* complete, but with frame-pointer steps */
	DWUNW_COUNT_SHIPPED,			       /* sent to user space to be finished */
	DWUNW_COUNT_UNTOLD,			       /* stack records lost, ring buffer full */
	DWUNW_COUNT_UNANNOUNCED, /* changes of mappings that user space was not told of: ring buffer full */
	DWUNW_COUNT_STACKS_FULL, /* ids not kept, dwunw_stacks full */
	DWUNW_COUNT_NO_MEMO,	 /* walks of threads that no memo could be made for */
	DWUNW_COUNT_MEMO_WHOLE,	 /* stacks known from the innermost frame on */
	DWUNW_COUNT_MEMO_REST,	 /* stacks known from a later frame on */
	DWUNW_COUNT_MEMO_NONE,	 /* stacks of which a memo knew nothing */
	DWUNW_COUNT_MEMO_CHECKED, /* with DWUNW_MEMO_CHECK: known ones that were walked nevertheless */
	DWUNW_COUNT_MEMO_WRONG, /* and were found to be others */
	DWUNW_N_COUNTS,
};

#define DWUNW_SLOTS 4	       /* walks that can be under way on one CPU, preempting one another */
#define DWUNW_WINDOW_SIZE 4096 /* the smallest page */
#define DWUNW_SPAN_SIZE                                                                            \
	16384 /* of the stack, read at once where what is to be compared lies in it */
#define DWUNW_CACHE_SETS 512 /* of two entries each */
#define DWUNW_TOLD 256
#define DWUNW_FRAME_WORDS (4 * DWUNW_MAX_FRAMES) /* a power of two; three a frame are used */

/* pc -> rule cache. `code`: as in a stack record. */
struct dwunw_cache_entry {
	__u64 pc;
	__u64 epoch;
	__u64 code;
	struct dwunw_frame_rule rule;
	__u64 flags; /* DWUNW_FRAME_SIGNAL */
};

/* Bytes of a record with a slice of `slice_size`, while it is put together: rounded so that a masked offset cannot lead out of it. */
#define DWUNW_RECORD_TAIL 4096
#define DWUNW_RECORD_SIZE(slice_size)                                                              \
	(sizeof(struct dwunw_cut_short_event) + DWUNW_RECORD_TAIL + (slice_size))

_Static_assert(DWUNW_MAX_RETURNS * sizeof(struct dwunw_return) < DWUNW_RECORD_TAIL / 2 &&
		       DWUNW_CUT_SHORT_FRAMES * 16 <= DWUNW_RECORD_TAIL / 2,
	       "the tail of a record has room for all returns and frames");

#define DWUNW_MEMO_STATES 128
#define DWUNW_MEMO_PAIRS 224
#define DWUNW_MEMO_GROUP 8 /* pairs that are compared at a time */

/* Switches for tests (dwunw_memo_test). */
#define DWUNW_MEMO_CHECK 1 /* walk what is known, too, and compare */
#define DWUNW_MEMO_NO_RA                                                                           \
	2 /* negative controls: return addresses, frame pointers are not compared */
#define DWUNW_MEMO_NO_FP 4
#define DWUNW_MEMO_OFF 8

#define DWUNW_STATE_EXACT 1 /* pc is not a return address */
#define DWUNW_STATE_LIVE 2  /* the rest depends on fp */
#define DWUNW_STATE_FP 4    /* the rest has frame-pointer steps */

/* A frame of a remembered stack. */
struct dwunw_memo_state {
	__u64 pc;
	__u64 fp;
	__u64 hash;  /* of this frame and all that are outside of it */
	__u32 sp;    /* in words below dwunw_memo.top */
	__u16 pairs; /* that the rest depends on: so many, from the first on */
	__u16 flags; /* DWUNW_STATE_* */
};

/* A word of the stack that a walk depended on. */
struct dwunw_memo_pair {
	__u64 word;
	__u32 at;     /* in words below dwunw_memo.top */
	__u32 states; /* that do not depend on it: so many, from the outermost on */
};

/* What is remembered of a thread: its process (dwunw.bpf.h), and its last complete walk (memo.bpf.h), outermost frame first. */
struct dwunw_memo {
	__u64 leader;  /* address of the group leader's task_struct */
	__u64 changes; /* dwunw_changes when `process` and `process_generation` were read */
	__u64 process; /* key */
	__u32 process_generation;
	__u32 in_use; /* by a program of this thread that another one interrupted */
	__u64 epoch;
	__u64 top; /* address behind all of `pairs` */
	__u32 generation;
	__u32 n_states;
	__u32 n_pairs;
	__u32 misses; /* lately, less the hits */
	__u32 pause;  /* walks to come that leave it alone */
	__u32 pauses; /* walks that the last pause was long */
	struct dwunw_memo_state states[DWUNW_MEMO_STATES];
	struct dwunw_memo_pair pairs[DWUNW_MEMO_PAIRS + DWUNW_MEMO_GROUP];
};

#define DWUNW_STEP_HIDDEN 1 /* the frame was not reached by words of the stack alone */
#define DWUNW_STEP_OTHER 2  /* nor left by a rule and words of the stack */
#define DWUNW_STEP_NONE 4   /* nor left at all: the walk ended before that */

/* A frame of a walk, as the memo needs it; of more than there is room for the outermost ones stay. */
struct dwunw_memo_step {
	__u64 pc, sp, fp;
	__u64 code;
	__u64 cfa;
	struct dwunw_frame_rule rule;
	__u32 state; /* DWUNW_STATE_* */
	__u32 flags; /* DWUNW_STEP_* */
};

/* The state of one walk: claimed for the time of one program run. */
struct dwunw_slot {
	__u32 claimed;
	__u32 in_window; /* bytes of `window` that are filled */
	__u64 window_start;
	struct dwunw_step_state state;
	struct dwunw_frame_rule rule; /* in force at state.pc */
	__u64 cfa;
	__u64 code;
	__u64 hash; /* of the frames: hash.bpf.h */
	__u64 hash_factor;
	__u64 trampoline; /* 1: not looked up yet */
	__u64 entry_sp;	  /* stack pointer of a frame that is about to begin; 0: unknown */
	__u32 stop;
	__u32 skip;
	__u32 end; /* first frame that is too deep */
	__u32 fp_steps;
	__u32 stale;	/* permanent mappings only */
	__u32 by_fp;	/* enum dwunw_by_fp */
	__u32 fp_root;	/* `frames` are those of a walk by frame pointer, which reached the root */
	__u32 base;	/* where frames are written: a word of `frames` */
	__u32 victim;	/* the entry of a set that was last replaced */
	__u32 known;	/* states of the memo that are proven, or that the walk has not passed */
	__u32 differs;	/* pair of the memo from which on the first one differs that does */
	__u32 verified; /* words below dwunw_memo.top that were compared, where the memo has them */
	__u32 arrived;	/* state of the memo that the walk has come to, from 1; 0: none */
	__u32 frame;	/* the last one of a walk with memo */
	__u32 flags;	/* DWUNW_FRAME_* of the frame that was looked up */
	__u32 cacheable;	      /* its rule depends on its pc alone */
	__u32 rule_address;	      /* of `rule` in table space; 0: not from a table */
	struct dwunw_mapping mapping; /* that the last frame was in */
	struct dwunw_rule full_rule;  /* `rule` whole, for the full walk */
	struct dwunw_registers registers;
	__u64 ship_second; /* in which `ship_ns` was spent on sending unfinished stacks */
	__u64 ship_ns;
	__u32 number;	/* of this slot */
	__u32 sequence; /* of the next event sent from it */
	__u64 counts[DWUNW_N_COUNTS];
	__u64 told[DWUNW_TOLD]; /* ids that are in dwunw_stacks, by their low bits */
	__u64 window[DWUNW_SPAN_SIZE / 8];
	struct dwunw_stack_event event;
	__u64 frames[DWUNW_FRAME_WORDS]; /* as they follow struct dwunw_stack_event */
	struct dwunw_cache_entry cache[DWUNW_CACHE_SETS][2];
	struct dwunw_memo_step steps[DWUNW_MEMO_STATES];
};

#ifndef __cplusplus
_Static_assert(sizeof(struct dwunw_memo) <= 8000, "with the kernel's part, two pages");
#endif

#endif
