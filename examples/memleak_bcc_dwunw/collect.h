/* SPDX-License-Identifier: BSD-2-Clause */
/* From the kernel's maps to the report's snapshot. */
#ifndef COLLECT_H
#define COLLECT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "report.h"
#include "sampling.h"

struct dwunw_bpf; /* dwunw-added */
struct session;	  /* dwunw-added */
struct kallsyms;
struct mappings_ledger;
struct memleak_recent;
struct symbolizer;

struct collect_target {
	pid_t pid;
	bool gone; /* what it held is outstanding no more */
	/* Written by the kernel before a block of that process, or image, is stored: to be read after the block. */
	const volatile uint32_t *tgid;	/* the kernel's number for it; 0: it has no blocks */
	const volatile uint64_t *image; /* if it is known to have called exec; 0: any */
	struct symbolizer *symbolizer;
	const struct mappings_ledger *mappings; /* NULL: none */
	bool is_child; /* it has inherited what its parent (a number) had at that time */
	unsigned int parent;
	uint64_t forked_ns;
	uint64_t
		started_ns; /* blocks from before are of a process that had its number; 0: any are its own */
	/* found by collect_blocks(): of that, what the parent has not freed since */
	uint64_t inherited_bytes, inherited_blocks;
};

struct collect_source {
	int blocks_fd, stacks_fd;
	const struct memleak_recent *recent; /* blocks that are not in the map yet; NULL: none */
	bool combined_only;		     /* the snapshot's blocks are the sums of -C */
	int combined_fd;
	struct collect_target *targets;
	unsigned int n_targets;
	bool count_inherited; /* some are children of which it was not told yet */
	const struct sampling *sampling;
	/* Blocks from before that are left out and summed up: frees of them may have gone unseen. 0: none. */
	uint64_t verified_since_ns;
	uint64_t *doubtful_bytes, *doubtful_blocks; /* as of the last reading */
	size_t max_depth;
	const struct kallsyms *kernel_symbols; /* kernel mode, where they may be read */
	/* dwunw-added begin: NULL: stacks are bpf_get_stackid()'s */
	struct dwunw_bpf *dwunw;
	void (*handle_events)(struct session *session); /* learns what the stacks of blocks are */
	struct session *session;
	/* dwunw-added end */
};

/*
 * Reads every block that is outstanding all the while, in batches, and takes the mappings in; blocks of an image before the last exec are deleted from the map. Stacks have no frames
 * yet: see collect_frames().
 */
int collect_blocks(const struct collect_source *source, struct report_snapshot *ret);

/* The bytes of all of them, without the rest. */
int collect_total(const struct collect_source *source, uint64_t *ret);
/*
 * Of which target a block is that has `image` (of its key) and was allocated at `time_ns`; false: of none any more. Of several that have had the same number, the last
 * that had begun by then. *ret is only touched where there is one, or was.
 */
bool collect_find_target(const struct collect_target *targets, unsigned int n, uint64_t image,
			 uint64_t time_ns, unsigned int *ret);

/* Gives the stacks of the first `n` groups their frames. */
int collect_frames(const struct collect_source *source, struct report_snapshot *snapshot,
		   const struct report_groups *groups, size_t n);

/* One stack with its frames, to be freed with free(ret->frames). */
int collect_stack(const struct collect_source *source, unsigned int target, int64_t id,
		  struct report_stack *ret);

void collect_free(struct report_snapshot *snapshot);

#endif
