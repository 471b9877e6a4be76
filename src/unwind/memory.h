/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of a live process, read in pieces of a page that are kept until memory_begin(): by process_vm_readv(2), where
 * that fails by /proc/PID/mem.
 */
#ifndef UNWIND_MEMORY_H
#define UNWIND_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct memory;

int memory_create(struct memory **ret);
void memory_destroy(struct memory *memory);

/* What is read from now on is of this thread's process, as it is now. */
void memory_begin(struct memory *memory, pid_t tid);
/* Holds nothing of the process any more. */
void memory_end(struct memory *memory);

/* A dwunw_read_fn over a struct memory. -EFAULT: not mapped; -ESRCH: the process is gone. */
int memory_read(void *memory, uint64_t addr, void *buf, size_t size);

#endif
