/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the probes count for --max-overhead. In BPF programs vmlinux.h comes first. */
#ifndef LOAD_FORMAT_H
#define LOAD_FORMAT_H

#include "memleak_dwunw_events.h"

/* Of one CPU, since the start. */
struct memleak_load {
	__u64 calls[MEMLEAK_N_FUNCTIONS]; /* entries, nested ones as well */
	__u64 work_ns;			  /* walking and storing what is recorded */
};

/*
 * The functions whose probes can go for a time without harm to the blocks that are stored: those that only allocate what is sampled.
 */
static inline int memleak_only_allocates(__u32 function)
{
	switch (function) {
	case MEMLEAK_MALLOC:
	case MEMLEAK_CALLOC:
	case MEMLEAK_POSIX_MEMALIGN:
	case MEMLEAK_MEMALIGN:
	case MEMLEAK_STRDUP:
	case MEMLEAK_STRNDUP:
	case MEMLEAK_NEW:
		return 1;
	default:
		return 0;
	}
}

/* Those without which, for a time, what was stored before is doubtful. All others stay. */
static inline int memleak_frees(__u32 function)
{
	return function == MEMLEAK_FREE || function == MEMLEAK_REALLOC ||
	       function == MEMLEAK_REALLOCARRAY;
}

#endif
