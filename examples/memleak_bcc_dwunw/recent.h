/* SPDX-License-Identifier: BSD-2-Clause */
/* The most recent blocks (recent_blocks.h), read while processes run. */
#ifndef RECENT_H
#define RECENT_H

#include <stdbool.h>

#include "recent_format.h"

/* Maps the places of the BPF map `fd`; recent_unmap() takes NULL, too. */
int recent_map(int fd, const struct memleak_recent **ret);
void recent_unmap(const struct memleak_recent *places);

/*
 * Copies all places; *ret is the caller's to free. A place of the copy with RECENT_FULL in its state has a block. Read after
 * it, the hash has every other block that is outstanding all the time; what recent_covers() is not to be taken from there.
 */
int recent_copy(const struct memleak_recent *places, struct memleak_recent **ret);

/* Whether what the hash has for `key` is, or may be, only a copy of what was here. */
bool recent_covers(const struct memleak_recent *copy, const struct memleak_key *key);

#endif
