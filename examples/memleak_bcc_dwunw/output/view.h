/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One report, whole, with nothing behind it: what files are written from and what the terminal program shows. Made from a
 * snapshot and its groups, or read from a .json file that was written from one. Pure: no kernel, no clock. One thread at a
 * time.
 */
#ifndef OUTPUT_VIEW_H
#define OUTPUT_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "symbolize/strings.h"

struct report_groups;
struct report_snapshot;

/* A file that is mapped, or was. */
struct view_module {
	const char *path;
	const char *build_id; /* hexadecimal; "": it has none, or it is not known */
	/* one of its executable mappings, where it is still mapped; else all 0 */
	uint64_t start, end; /* addresses */
	uint64_t file_off;   /* bytes */
};

#define VIEW_NO_MODULE UINT32_MAX

struct view_frame {
	const char *function;  /* NULL: it has no name */
	const char *file;      /* source; NULL: not known */
	uint64_t pc;	       /* of an inlined function: of the frame that it is part of */
	uint64_t offset;       /* pc in the function; of an inlined one 0 */
	uint32_t line, column; /* 0: not known */
	uint32_t
		module; /* index into view.modules, or VIEW_NO_MODULE: code in no file, or the kernel's */
	bool inlined;	       /* into the frame after it in the stack */
	bool by_frame_pointer; /* left without call frame information */
};

struct view_stack {
	uint64_t identity; /* the same in all reports of one run, with pid */
	uint32_t pid;	   /* 0: kernel mode */
	uint32_t tid;	   /* the thread that was first seen with it; 0: not known */
	const char *comm;
	const char *
		stop; /* why it ends before its root; NULL: it is complete, or that is not known (view.walk) */
	/* with sampling: estimates, as are all totals */
	uint64_t bytes, blocks;
	uint64_t sampled;	       /* blocks that the estimate is from; without sampling 0 */
	uint64_t oldest_ns, median_ns; /* ages of its blocks; 0 where view.no_ages */
	int64_t growth_bytes, growth_blocks;  /* since the last report; all of it in the first */
	uint64_t before_bytes, before_blocks; /* what it held in the view compared with */
	const struct view_frame *frames;      /* innermost first */
	size_t n_frames;
	/* bytes at the last reports, from the first with this stack to this one; one number a report */
	const uint64_t *history;
	size_t n_history; /* 0: not known */
};

struct view_process {
	uint32_t pid;
	const char *comm;
};

/* What all stacks that end for this reason hold; NULL: complete ones. */
struct view_sum {
	const char *reason;
	uint64_t bytes, blocks;
};

/* By whom stacks are walked; only of the first's it is known where they end. */
#define VIEW_WALK_DWUNW "dwunw"
#define VIEW_WALK_FP "frame pointers"
#define VIEW_WALK_KERNEL "kernel"

/* One of the last reports. */
struct view_report {
	uint64_t elapsed_ns, bytes; /* as those of its view */
};

struct view {
	struct timespec when; /* CLOCK_REALTIME */
	uint64_t elapsed_ns;  /* since tracing began */
	const char *walk;     /* VIEW_WALK_* */
	uint64_t min_age_ns;  /* younger blocks are left out */
	bool no_ages, estimated;
	uint64_t
		sample_rate; /* one of so many allocations was recorded; 0: all, or not at one rate */
	uint64_t sample_bytes;		/* one in so many bytes; 0: not so */
	uint64_t bytes, blocks;		/* of all stacks */
	uint64_t all_bytes, all_blocks; /* of blocks of any age */
	struct view_process *processes;
	size_t n_processes;
	struct view_module *modules;
	size_t n_modules;
	struct view_sum
		*sums; /* together all that the stacks hold; of stacks walked by dwunw only */
	size_t n_sums;
	const char **notes; /* what the user was told on stderr so far: what is missing, and why */
	size_t n_notes;
	struct view_stack *stacks; /* in the report's order */
	size_t n_stacks;
	struct view_report *reports; /* that histories are of; this one the last */
	size_t n_reports;
	uint64_t *histories; /* what the stacks' histories are in */
	/* view_compare(): */
	bool compared;
	struct timespec before_when;
	uint64_t before_bytes, before_blocks;
	struct strings strings; /* every text above */
};

/* An executable mapping of a file. */
struct view_mapping {
	const char *path;
	const uint8_t *build_id;
	size_t build_id_size; /* 0: none */
	uint64_t start, end, file_off;
};

/* What only the running tool knows; texts and arrays are copied. */
struct view_facts {
	struct timespec when;
	uint64_t elapsed_ns, min_age_ns;
	const char *walk;
	bool no_ages, estimated;
	uint64_t sample_rate, sample_bytes; /* as in the view */
	const struct view_process *processes;
	size_t n_processes;
	const char *const *notes;
	size_t n_notes;
	/* What is mapped at `pc` of a target (report_stack.target); false: no file. NULL: nobody knows. */
	bool (*find_mapping)(void *context, uint32_t target, uint64_t pc, struct view_mapping *ret);
	void *context;
};

/* Of all groups; those whose stacks have no frames come without. -ENOMEM. */
int view_create(const struct report_snapshot *snapshot, const struct report_groups *groups,
		const struct view_facts *facts, struct view **ret);
/* Instead of those it has; texts are copied. -ENOMEM. */
int view_set_notes(struct view *view, const char *const *notes, size_t n);
void view_free(struct view *view);

/*
 * Bytes by which a stack grew a minute since the first of view.reports, of all stacks the same; in the first, since the start. 0 where there is
 * no history.
 */
int64_t view_growth_per_minute(const struct view *view, const struct view_stack *stack);

#endif
