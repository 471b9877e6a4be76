/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The report: a snapshot of outstanding allocations goes in, text goes out. Pure: no kernel, no clock, no globals, so that
 * it is tested without any of them. The snapshot is what other writers will share.
 */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

/* One outstanding allocation. */
struct report_block {
	uint64_t addr;
	uint64_t size;	  /* bytes */
	uint64_t time_ns; /* CLOCK_MONOTONIC at the allocation */
	uint32_t stack;	  /* index into report_snapshot.stacks */
	uint64_t others;  /* blocks summed up in it besides itself (-C) */
};

struct report_frame {
	uint64_t pc;
	uint64_t sp, ra;    /* with details only */
	uint32_t flags;	    /* DWUNW_FRAME_* */
	const char *symbol; /* NULL: unknown */
	uint64_t offset;    /* in the function */
	const char *module; /* NULL: anonymous memory */
};

/* A stack, innermost frame (the allocator's caller) first. Frames are filled for stacks that are shown only. */
struct report_stack {
	int64_t id;
	bool walked_by_dwunw; /* has the [dwunw] line */
	bool have_details;    /* sp and ra of the frames are known (-v) */
	uint32_t target;      /* whose it is: a number of the maker's */
	uint32_t pid;
	char comm[16];
	const char *stop;	   /* NULL: complete; else why it ends */
	size_t n_by_frame_pointer; /* frames left by frame pointer, for want of call frame information */
	size_t n_frames;
	struct report_frame *frames;
};

struct report_snapshot {
	struct report_block *blocks;
	size_t n_blocks;
	struct report_stack *stacks;
	size_t n_stacks;
};

/* What one stack holds. */
struct report_group {
	uint32_t stack; /* index */
	uint64_t bytes;
	uint64_t blocks;
	const char *apart;	      /* why the stack is not shown but summed up; NULL: shown */
	size_t first_block, n_blocks; /* its blocks in report_groups.order */
};

/*
 * Stacks by outstanding bytes, most first (then by id, so that the order is stable), those apart behind the others. Linear in
 * blocks.
 */
struct report_groups {
	struct report_group *groups;
	size_t n_groups;
	size_t n_shown;		/* of them: not apart */
	size_t *order;		/* block indices, grouped, by address in each group */
	uint64_t bytes, blocks; /* totals over all groups */
};

struct report_options {
	size_t top_stacks;
	bool show_allocs; /* -a */
	bool details;	  /* -v: one line for each frame of libdwunw */
	bool only_complete; /* -W force: stacks that are not walked to their root by CFI alone are apart */
	uint64_t now_ns;
	uint64_t min_age_ns; /* blocks younger than this are left out */
};

int report_group(const struct report_snapshot *snapshot, const struct report_options *options,
		 struct report_groups *ret);
void report_groups_free(struct report_groups *groups);

/* The [dwunw] line, if it has one, and the frames; with `details` their registers. */
void report_print_stack(FILE *out, const struct report_stack *stack, bool details);

/*
 * Prints the heading `[h:m:s] Top N stacks with outstanding allocations:` and the first top_stacks groups. With only_complete
 * then a line for all complete stacks and one for each reason why others are apart: together all that is outstanding.
 */
void report_print(FILE *out, const struct report_snapshot *snapshot,
		  const struct report_groups *groups, const struct report_options *options,
		  const struct tm *when);

#endif
