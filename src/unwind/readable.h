/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of this process that may not be there: asked for before it is read, so that a wrong address is an error and no signal.
 * Safe in signal handlers and in several threads; errno stays as it is.
 */
#ifndef UNWIND_READABLE_H
#define UNWIND_READABLE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define READABLE_PAGES 256 /* power of two */

/* Pages of stacks that could be read before. All zeros: none. */
struct readable_pages {
	_Atomic uintptr_t starts[READABLE_PAGES];
};

/*
 * How many bytes from `addr` upwards belong to pages that can be read, at most `max_pages` of them: the kernel is asked about the first
 * of them, if need be; then come those that are known. 0: `addr` cannot be read, or not without readable_read().
 */
size_t readable_from(struct readable_pages *pages, uint64_t addr, unsigned int max_pages);

/* One walk's reading: a page is asked about once. */
struct readable_reader {
	struct readable_pages *pages; /* that learn */
	uint64_t page;		      /* that was asked about last; 0: none */
};

/* A dwunw_read_fn over a struct readable_reader. */
int readable_read(void *reader, uint64_t addr, void *buf, size_t size);

#endif
