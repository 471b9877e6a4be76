/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What code of one process was where, and when: its mappings as they were read once, and a record of each one that was made since, and of
 * each exec. Removals are not recorded, and need not be: a stack does not go through code that is not there.
 */
#ifndef BPF_PAST_H
#define BPF_PAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "process/process.h"

struct past_record;

struct past {
	bool has_base;
	uint64_t base_ns; /* since when it is known */
	struct process base;
	struct past_record *records; /* in order of time */
	size_t n_records, size;
	uint64_t
		done_ns; /* set by the owner, who will not ask for times of before: those records need not be kept apart */
	struct process
		view; /* at some time; paths and modules are those of the base and the records */
	size_t n_applied; /* records that are in it */
};

/* Forgets everything. */
void past_clear(struct module_cache *cache, struct past *past);
/* Begins with the code of `process`, which was read before `now_ns`. -ENOMEM */
int past_begin(struct module_cache *cache, struct past *past, const struct process *process,
	       uint64_t now_ns);
/* One more mapping, which it takes over: mapping.path and a reference on mapping.module. -ENOMEM: all is forgotten. */
int past_add(struct module_cache *cache, struct past *past, uint64_t time_ns,
	     struct mapping *mapping);
/* The process image was replaced: nothing is mapped then. -ENOMEM: all is forgotten. */
int past_add_exec(struct module_cache *cache, struct past *past, uint64_t time_ns);
/* What was mapped at that time; NULL: not known. Valid until the next call. */
const struct process *past_at(struct past *past, uint64_t time_ns);

#endif
