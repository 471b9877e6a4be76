/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * debug_info.h in another process: libdw is not made for bytes that somebody may have made to hurt, and of what it reads nothing is ours to
 * check. A process that crashes, needs more than 2 GiB or more than 10 s for one answer is ended, and the file counts as one that cannot be
 * understood. It is started when the first file is opened, has no descriptors but the files', no capabilities, and ends with this one.
 */
#ifndef SYMBOLIZE_DEBUG_WORKER_H
#define SYMBOLIZE_DEBUG_WORKER_H

#include <stdint.h>

#include "symbolize/debug_info.h"

struct debug_worker;

/* A file that it has open. Zero at first. */
struct debug_worker_file {
	uint32_t number;
	uint32_t life; /* of the worker; 0: not open */
};

/* NULL: no memory. */
struct debug_worker *debug_worker_create(void);
void debug_worker_destroy(struct debug_worker *worker);

/* `frames`: NULL: nothing is known of that address. Valid during the call. */
typedef void debug_answer_fn(uint64_t vaddr, const struct debug_frames *frames, void *arg);

/* debug_info_open(). Also -EBADMSG: the worker did not survive it, and has been ended; -EAGAIN: none can be started. */
int debug_worker_open(struct debug_worker *worker, int fd, int alternate,
		      struct debug_worker_file *ret);

/*
 * debug_info_find() for `n` addresses; calls `fn` for each. If another file has ended the worker meanwhile, this one is opened again. Errors as
 * above: the rest of the addresses is not answered.
 */
int debug_worker_find(struct debug_worker *worker, int fd, int alternate,
		      struct debug_worker_file *file, const uint64_t *vaddrs, size_t n,
		      debug_answer_fn *fn, void *arg);

#endif
