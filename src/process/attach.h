/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sets an executable mapping's module and load_bias, or its `error`; does nothing where it has no file. It must have no module.
 */
#ifndef PROCESS_ATTACH_H
#define PROCESS_ATTACH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct mapping;
struct module_cache;

/* Of a live process. */
void mapping_attach(struct module_cache *cache, pid_t pid, struct mapping *mapping);

/* The same where the mapping, made at `time_ns` (CLOCK_MONOTONIC), may be gone. */
void mapping_attach_past(struct module_cache *cache, pid_t pid, uint64_t time_ns,
			 struct mapping *mapping);

/*
 * Of a process that is not there: its file is what this process finds under its path, or the vDSO of this kernel if that is as
 * long. -ESTALE: that has another inode number than the mapping (0: not known), or another build ID than the `size` bytes given (0:
 * not known).
 */
void mapping_attach_given(struct module_cache *cache, struct mapping *mapping, const void *build_id,
			  size_t size);

#endif
