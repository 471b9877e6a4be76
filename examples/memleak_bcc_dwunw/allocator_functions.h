/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions that allocators have, by name. Immutable. */
#ifndef ALLOCATOR_FUNCTIONS_H
#define ALLOCATOR_FUNCTIONS_H

#include <stddef.h>

#include "memleak_dwunw_events.h"

#define ALLOCATOR_OPTIONAL 1 /* an allocator without it lacks nothing */
#define ALLOCATOR_PLAIN 2    /* its name has never a prefix */
#define ALLOCATOR_NOT_LIBC 4 /* in a C library all that it allocates comes from malloc */

struct allocator_function {
	const char *name;
	enum memleak_function kind;
	unsigned int n_args; /* the first ones, that the probe reads */
	unsigned int flags;  /* ALLOCATOR_OPTIONAL, ... */
};

extern const struct allocator_function allocator_functions[];
extern const size_t allocator_n_functions;

/* Prefixes that allocators linked into a program are given: "je_", "tc_", ...; NULL behind the last. The first is "". */
extern const char *const allocator_prefixes[];

#endif
