/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the running kernel's allocation tracepoints have their arguments, by its own type information. */
#ifndef KERNEL_ARGUMENTS_H
#define KERNEL_ARGUMENTS_H

#include "memleak_kernel_events.h"

struct btf;

/*
 * Finds the arguments of a tracepoint (enum memleak_tracepoint) in the types of a kernel, by their types. `n_cpus`: how many may
 * be there, as many copies a percpu allocation has. -ENOENT: that kernel has no such tracepoint; -EINVAL: it has, but not as
 * one that is known.
 */
int kernel_arguments_find(const struct btf *btf, unsigned int tracepoint, unsigned int page_size,
			  unsigned int n_cpus, struct memleak_arguments *ret);

/* "kmalloc" */
const char *kernel_tracepoint_name(unsigned int tracepoint);

#endif
