/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line, parsed with argp. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "memleak_dwunw_events.h"

#define OPTIONS_MAX_PREFIXES 16
#define OPTIONS_MAX_OUTPUTS 16

enum options_mode { OPTIONS_MODE_OFF, OPTIONS_MODE_FALLBACK, OPTIONS_MODE_FORCE };

enum options_sort { OPTIONS_SORT_SIZE, OPTIONS_SORT_COUNT, OPTIONS_SORT_AGE, OPTIONS_SORT_GROWTH };

struct options {
	pid_t pids[MEMLEAK_MAX_TARGETS]; /* different ones */
	unsigned int n_pids;
	bool follow_forks;
	const char *command;	    /* -c, to be split as a shell splits words; NULL: none */
	const char *comm;	    /* --comm: the name of further processes; NULL: none */
	bool kernel;		    /* the kernel's own allocations: no process is named */
	const char *cgroup;	    /* kernel mode: a directory; NULL: all tasks */
	const char *symbols_prefix; /* "" */
	bool percpu, missing_free;  /* kernel mode: -P, -F */
	bool trace, combined_only;
	bool show_allocs;
	enum options_sort sort; /* size */
	bool show_details;	/* --details */
	bool peak;
	unsigned int sample_rate;	       /* 1: every allocation */
	uint64_t sample_bytes;		       /* 0: not by bytes */
	unsigned int max_overhead;	       /* percent of a CPU; 0: no limit */
	unsigned int max_blocks;	       /* 4194304; kernel mode: 1048576 */
	unsigned int duration_s;	       /* 0: no limit */
	uint64_t stop_when_leaked, fail_above; /* bytes; UINT64_MAX: no limit */
	uint64_t older_ms;		       /* 500 */
	unsigned int top_stacks;	       /* 10 */
	uint64_t min_size, max_size;	       /* inclusive; 0, UINT64_MAX */
	const char *object; /* soname or path; NULL: all allocators that are found */
	bool no_inlines, no_lines, no_demangle, short_names;
	const char *source_prefixes[OPTIONS_MAX_PREFIXES]; /* OLD=NEW */
	unsigned int n_source_prefixes;
	const char *debug_dir;			  /* NULL: /usr/lib/debug */
	const char *debuginfod;			  /* URLs; NULL: none */
	const char *outputs[OPTIONS_MAX_OUTPUTS]; /* files, of kinds that output_kind() knows */
	unsigned int n_outputs;
	bool folded_count;
	const char *diff; /* a .json file; NULL: none */
	bool tui;
	bool verbose;
	enum options_mode mode; /* fallback */
	bool walk_in_user_space;
	unsigned int slice_kib;		 /* 16; 1..64 */
	unsigned int share_percent;	 /* 2; 1..100 */
	unsigned int max_stack_depth;	 /* 127; 1..1023 */
	unsigned int stack_storage_size; /* unique stacks; 131072; kernel mode: 65536 */
	unsigned int interval_s;	 /* 5; with tui 2 */
	unsigned int n_intervals;	 /* 0: endless */
};

/*
 * Returns 0, or the exit status with which to end after the message was printed: 1 for contradictory options, 64 for
 * usage errors. Does not return for --help, --usage and --version, as argp's do.
 */
int options_parse(int argc, char **argv, struct options *ret);

#endif
