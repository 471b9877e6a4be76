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
	DWUNW_N_COUNTS,
};

#define DWUNW_SLOTS 4	       /* walks that can be under way on one CPU, preempting one another */
#define DWUNW_WINDOW_SIZE 4096 /* the smallest page */
#define DWUNW_CACHE_SETS 512   /* of two entries each */
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

/* The state of one walk: claimed for the time of one program run. */
struct dwunw_slot {
	__u32 claimed;
	__u32 in_window; /* bytes of `window` that are filled */
	__u64 window_start;
	struct dwunw_step_state state;
	struct dwunw_frame_rule rule; /* in force at state.pc */
	__u64 cfa;
	__u64 code;
	__u64 hash;
	__u64 trampoline; /* 1: not looked up yet */
	__u64 entry_sp;	  /* stack pointer of a frame that is about to begin; 0: unknown */
	__u32 stop;
	__u32 skip;
	__u32 end; /* first frame that is too deep */
	__u32 fp_steps;
	__u32 stale;   /* permanent mappings only */
	__u32 by_fp;   /* enum dwunw_by_fp */
	__u32 fp_root; /* `frames` are those of a walk by frame pointer, which reached the root */
	__u32 base;    /* where frames are written: a word of `frames` */
	__u32 victim;  /* the entry of a set that was last replaced */
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
	__u64 window[DWUNW_WINDOW_SIZE / 8];
	struct dwunw_stack_event event;
	__u64 frames[DWUNW_FRAME_WORDS]; /* as they follow struct dwunw_stack_event */
	struct dwunw_cache_entry cache[DWUNW_CACHE_SETS][2];
};

#endif
