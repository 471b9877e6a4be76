/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What mmap() and mremap() of one process gave and munmap() did not take back, as a set of address ranges that do not overlap.
 * Pure: fed with the calls in their order. One thread at a time.
 *
 * A block is the bytes that were asked for; the kernel maps and unmaps whole pages, so what is unmapped is widened to pages.
 */
#ifndef MAPPINGS_LEDGER_H
#define MAPPINGS_LEDGER_H

#include <stddef.h>
#include <stdint.h>

struct mappings_ledger;

/* One mapping, or what is left of it: two where its middle was unmapped. */
struct mappings_block {
	uint64_t start, end; /* addresses; the end is exclusive */
	uint64_t time_ns;    /* CLOCK_MONOTONIC */
	int64_t stack_id;
};

/* `page`: bytes, a power of two. -ENOMEM. */
int mappings_ledger_create(uint64_t page, struct mappings_ledger **ret);
void mappings_ledger_destroy(struct mappings_ledger *ledger); /* NULL is allowed */
/* exec: nothing is mapped. */
void mappings_ledger_clear(struct mappings_ledger *ledger);

/*
 * These return -EINVAL for a range that wraps round or, of an added block, is empty; -ENOMEM. What was mapped there before is gone. An
 * unmapped range may be of any size, and have no block in it.
 */
int mappings_ledger_map(struct mappings_ledger *ledger, const struct mappings_block *block);
int mappings_ledger_unmap(struct mappings_ledger *ledger, uint64_t start, uint64_t size);

/*
 * A call that unmaps begins in thread `tid`: as mappings_ledger_unmap(), but mappings_ledger_restore() of this thread brings it back,
 * but for what has been mapped there since: the call failed. What was taken is kept until the thread's next call of these two, or until
 * 1,024 other threads have called.
 */
int mappings_ledger_take(struct mappings_ledger *ledger, uint32_t tid, uint64_t start,
			 uint64_t size);
int mappings_ledger_restore(struct mappings_ledger *ledger, uint32_t tid);

/* By address; stops when `fn` returns nonzero, and returns that. */
int mappings_ledger_for_each(const struct mappings_ledger *ledger,
			     int (*fn)(const struct mappings_block *block, void *arg), void *arg);

#endif
