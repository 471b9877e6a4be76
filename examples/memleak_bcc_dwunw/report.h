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

#include "estimate.h"
#include "symbolize/symbolize.h"

struct growth;

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
	uint64_t sp, ra;    /* with registers only */
	uint32_t flags;	    /* DWUNW_FRAME_* */
	const char *symbol; /* NULL: unknown */
	uint64_t offset;    /* in the function */
	const char *module; /* NULL: anonymous memory */
	struct source_place place;
	const struct inlined_function *inlined; /* in this one: the innermost first */
	size_t n_inlined;
	const char *name_source, *line_source; /* what they are from; NULL: nothing */
};

/* A stack, innermost frame (the allocator's caller) first. Frames are filled for stacks that are shown only. */
struct report_stack {
	int64_t id;
	uint64_t identity; /* of the stack in its process: the same from one report to the next */
	bool walked_by_dwunw; /* has the [dwunw] line */
	bool have_registers;  /* sp and ra of the frames are known (-v) */
	uint32_t target;      /* whose it is: a number of the maker's */
	uint32_t pid;
	uint32_t tid; /* of the thread that was first seen with it; 0: not known */
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
	double *besides; /* with sampling: how many more blocks each one stands for; NULL: none */
};

/* What one stack holds. */
struct report_group {
	uint32_t stack; /* index */
	uint64_t bytes; /* with sampling: estimated, as is the next */
	uint64_t blocks;
	struct estimate estimate;
	const char *
		shortcoming; /* why the stack was not walked to its root by CFI alone; NULL: it was */
	bool apart;	     /* for that, it is not shown but summed up */
	uint64_t oldest_ns,
		median_ns; /* ages of its blocks; the median with medians or details only */
	int64_t growth_bytes, growth_blocks;  /* since the last report; all of it in the first */
	uint64_t before_bytes, before_blocks; /* with report_options.before: what it held then */
	size_t first_block, n_blocks; /* its blocks in report_groups.order, with show_allocs only */
};

/*
 * Stacks in the order asked for, then by bytes, most first, then by id, so that the order is stable; those apart behind the others.
 * Linear in blocks.
 */
struct report_groups {
	struct report_group *groups;
	size_t n_groups;
	size_t n_shown; /* of them: not apart */
	size_t *order; /* with show_allocs: block indices, grouped, by address in each group; else NULL */
	uint64_t bytes, blocks;		/* totals over all groups */
	uint64_t all_bytes, all_blocks; /* the same of blocks of any age */
	struct estimate estimate;
};

/* An earlier report, which this one is compared with. */
struct report_before {
	struct tm when;
	uint64_t bytes, blocks;		  /* of all stacks then */
	uint64_t gone_bytes, gone_blocks; /* of them: of stacks that hold nothing now */
	size_t n_gone;
};

enum report_sort {
	REPORT_SORT_SIZE,
	REPORT_SORT_COUNT,
	REPORT_SORT_AGE, /* oldest block first */
	REPORT_SORT_GROWTH,
};

struct report_options {
	size_t top_stacks;
	enum report_sort sort;
	bool show_allocs; /* -a */
	bool details;	  /* --details: a line with the ages and the growth under each stack */
	bool medians;	  /* of the ages are wanted, also without that line */
	bool no_ages;	  /* of blocks that are sums (-C) */
	bool registers;	  /* -v: one line for each frame of libdwunw */
	bool peak;	  /* the heading says that it is the highest total, of the time `when` */
	bool estimated;	  /* numbers are estimates: their errors are printed */
	bool only_complete; /* -W force: stacks that are not walked to their root by CFI alone are apart */
	uint64_t now_ns;
	uint64_t min_age_ns;		    /* blocks younger than this are left out */
	const struct growth *last;	    /* NULL: this is the first report */
	const struct report_before *before; /* NULL: nothing is compared */
};

#define REPORT_MAX_SUMS 32 /* reasons that are told apart: more than libdwunw has */

/* What all stacks hold that have the same shortcoming; NULL: none. */
struct report_sum {
	const char *reason;
	uint64_t bytes, blocks;
};

int report_group(const struct report_snapshot *snapshot, const struct report_options *options,
		 struct report_groups *ret);
/* a - b, or what comes nearest to it. */
int64_t report_difference(uint64_t a, uint64_t b);
void report_groups_free(struct report_groups *groups);

/* Together all that the groups hold: first complete stacks, then a sum for each reason. Returns how many. */
size_t report_sums(const struct report_groups *groups, struct report_sum ret[REPORT_MAX_SUMS]);

/* The [dwunw] line, if it has one, and the frames; with `registers` those of each. */
void report_print_stack(FILE *out, const struct report_stack *stack, bool registers);

/*
 * Prints the heading `[h:m:s] Top N stacks with outstanding allocations:`, or `[h:m:s] Peak: BYTES bytes in COUNT allocations, top N
 * stacks:`, and the first top_stacks groups. With only_complete
 * then a line for all complete stacks and one for each reason why others are apart: together all that is outstanding.
 */
void report_print(FILE *out, const struct report_snapshot *snapshot,
		  const struct report_groups *groups, const struct report_options *options,
		  const struct tm *when);

#endif
