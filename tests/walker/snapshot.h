/* SPDX-License-Identifier: BSD-2-Clause */
/* Snapshots of live processes, and the comparison of the two walks over them. */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <dwunw/bpf_format.h>

#define SNAPSHOT_WORDS 64	  /* of a register set, at most */
#define SNAPSHOT_SIZE (256 << 10) /* of the stack, at most */
#define SNAPSHOT_PAGE 4096

struct process;

struct snapshot {
	const char *target; /* what it is of */
	const struct process *process;
	const struct dwunw_mappings *mappings;
	unsigned long words[SNAPSHOT_WORDS]; /* NT_PRSTATUS */
	size_t n_words;
	uint64_t memory_start; /* whole pages from the stack pointer's upwards */
	size_t memory_size;
	uint8_t memory[SNAPSHOT_SIZE];
	uint64_t trampoline;
	struct dwunw_return returns[DWUNW_MAX_RETURNS];
	size_t n_returns;
	bool stale;	   /* only permanent mappings are to be believed */
	uint32_t by_fp;	   /* enum dwunw_by_fp */
	unsigned int skip; /* innermost frames to leave out */
};

/* Of a thread that is stopped by this thread. 0 or a negative errno. */
int snapshot_take(pid_t tid, struct snapshot *ret);

/* What a comparison says, and sums over all. */
struct comparison {
	unsigned long walks, equal, different;
	unsigned long handed_over; /* ended where user space goes on, equal as far as they came */
	unsigned long in_padding;  /* parted at a pc between two FDEs: see is_in_padding() */
	unsigned long frames, full_walks;
	unsigned long hashes_differ; /* of one stack walked in two ways: it would get two ids */
	unsigned long known_whole, known_rest; /* by a memo, from the innermost frame on or later */
	unsigned long fp_roots;		       /* stacks that have a root by frame pointer alone */
	unsigned long stops[DWUNW_N_STOP_REASONS];
};

/*
 * Walks the snapshot by the kernel's code, cold, with what its cache then holds, and with all registers, and by
 * unwind_snapshot(). Differences are counted, and printed if `say`.
 */
void snapshot_compare(const struct snapshot *snapshot, bool say, struct comparison *sum);

/* The same for walks that take frame pointers, in both ways, and for the kernel's choice between them. */
void snapshot_compare_by_fp(struct snapshot *snapshot, bool say, struct comparison *sum);

/*
 * Walks the snapshot by the kernel's code with a memo that is kept from one call to the next, and plainly: both must give the same hash, and the memo
 * must then have the frames of the plain walk. Then with one word of the stack changed, most often one that
 * the memo depends on, and as it was, some times; and called through a null pointer.
 */
void snapshot_compare_memo(struct snapshot *snapshot, bool say, struct comparison *sum);

/* Only walks, by the kernel's code in all three ways: for tables that make no sense. */
void snapshot_walk(const struct snapshot *snapshot);

/* Puts the trampoline of uretprobes into frames of the stack that it has. */
void snapshot_add_returns(struct snapshot *snapshot);

#endif
