/* SPDX-License-Identifier: BSD-2-Clause */
/* The allocator of a process: which file, which functions, where in them the probes go. */
#ifndef ALLOCATOR_H
#define ALLOCATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "bpf/probe.h"
#include "memleak_dwunw_events.h"

struct mapping;
struct module_cache;
struct process;

struct allocator {
	char *path;				  /* as the target names it */
	int fd;					  /* of the file, for attaching: /proc/self/fd/N */
	struct probe probes[MEMLEAK_N_FUNCTIONS]; /* cookies: enum memleak_function */
	size_t n_probes;
	bool moved[MEMLEAK_N_FUNCTIONS]; /* probe is not on the first instruction */
	bool single_stepped[MEMLEAK_N_FUNCTIONS];
	char missing[256]; /* functions that the file does not have, for a message */
};

/*
 * Finds `object` (a path, or the last component of one) among the mappings. -ENOENT: it is not mapped; -ENOSYS: it is, but has none of the
 * functions.
 */
int allocator_find(pid_t pid, const struct process *process, const char *object,
		   struct allocator *ret);
/* The mapping of `object`, also where its file may not be opened; NULL: there is none. */
const struct mapping *allocator_mapping(const struct process *process, const char *object);
/*
 * For a process whose mappings may not be read: `object` is a path, or the soname of a library that this program uses itself.
 * Whether the process uses it is not known. -ENOENT: neither of both.
 */
int allocator_find_unread(struct module_cache *modules, const char *object, struct allocator *ret);
/* The path of an object that has functions of an allocator, NULL: there is none. */
const char *allocator_propose(const struct process *process);
void allocator_close(struct allocator *allocator);

#endif
