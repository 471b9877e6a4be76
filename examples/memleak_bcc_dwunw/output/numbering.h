/* SPDX-License-Identifier: BSD-2-Clause */
/* Equal keys have one number, from 0 in the order in which they are first seen. One thread at a time. */
#ifndef OUTPUT_NUMBERING_H
#define OUTPUT_NUMBERING_H

#include <stddef.h>
#include <stdint.h>

#define NUMBERING_WORDS 4

struct numbering_key {
	uint64_t words
		[NUMBERING_WORDS]; /* what a text is known by: its address in a set of strings */
};

/* All 0: empty. */
struct numbering {
	void *root;
	const struct numbering_key **keys; /* by number */
	size_t n, room;
};

/* The number of `key`, which gets one if it has none. -ENOMEM. */
int numbering_find(struct numbering *numbering, const struct numbering_key *key, uint32_t *ret);
/* The same for a key that must be there already; -ENOENT. */
int numbering_look(const struct numbering *numbering, const struct numbering_key *key,
		   uint32_t *ret);
void numbering_free(struct numbering *numbering);

#endif
