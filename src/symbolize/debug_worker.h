/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * debug_info.h in another process: libdw is not made for bytes that somebody may have made to hurt, and of what it reads nothing is ours to
 * check. A process that crashes, needs more than 2 GiB or more than 10 s for one answer is ended. It is started when the first file is
 * opened, has no descriptors but the files', no capabilities, and ends with this one.
 *
 * All symbolizers share one. If it dies over a question while it has several files open, which may be the sum of what they need, a new one
 * is asked again with that file alone; a file that it dies over all the same is given up, and the others are opened again when they are next
 * asked for. After 64 files that were given up no new ones are opened, while those that have been of use are still asked.
 */
#ifndef SYMBOLIZE_DEBUG_WORKER_H
#define SYMBOLIZE_DEBUG_WORKER_H

#include <stdint.h>

#include "symbolize/debug_info.h"

struct debug_worker;

/* A file to be read; both descriptors are the caller's, and stay open. */
struct debug_worker_file {
	int fd, alternate; /* as debug_info_open() is given */
	uint32_t number;
	uint32_t life; /* of the worker that has it open; 0: it was never open */
};

/* NULL: no memory. */
struct debug_worker *debug_worker_create(void);
void debug_worker_destroy(struct debug_worker *worker);

/* `frames`: NULL: nothing is known of that address. Valid during the call. */
typedef void debug_answer_fn(uint64_t vaddr, const struct debug_frames *frames, void *arg);

/* debug_info_open(). Also -EIO: the worker dies over it; -ETIMEDOUT: it takes too long; -EAGAIN: none can be started, or none for a new file. */
int debug_worker_open(struct debug_worker *worker, struct debug_worker_file *file);
/* It will not be asked for again: one that is open is closed. */
void debug_worker_close(struct debug_worker *worker, struct debug_worker_file *file);

/*
 * debug_info_find() for `n` addresses; calls `fn` for each. If another file has ended the worker meanwhile, this one is opened again. Errors as
 * above: the rest of the addresses is not answered.
 */
int debug_worker_find(struct debug_worker *worker, struct debug_worker_file *file,
		      const uint64_t *vaddrs, size_t n, debug_answer_fn *fn, void *arg);

/* What it has left out since the last call; N_WORKER_LOSSES. */
void debug_worker_take_losses(struct debug_worker *worker, uint64_t *ret);

#endif
