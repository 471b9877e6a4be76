/* SPDX-License-Identifier: BSD-2-Clause */
/* A set of strings: each is kept once, to the end. */
#ifndef SYMBOLIZE_STRINGS_H
#define SYMBOLIZE_STRINGS_H

#include <stddef.h>
#include <stdint.h>

struct strings {
	struct kept_string {
		struct kept_string *next;
		uint64_t hash;
		char text[];
	} * *slots;
	size_t n, n_slots;
	size_t bytes; /* of memory */
};

/* The one that is kept of `text`; NULL: no memory. */
const char *strings_keep(struct strings *strings, const char *text);
void strings_free(struct strings *strings);

#endif
