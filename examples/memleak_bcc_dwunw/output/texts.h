/* SPDX-License-Identifier: BSD-2-Clause */
/* Texts and their numbers, from 0, in the order in which they came. */
#ifndef OUTPUT_TEXTS_H
#define OUTPUT_TEXTS_H

#include <stddef.h>
#include <stdint.h>

struct texts {
	void *root;
	char **list; /* by number */
	size_t n, room;
};

/* The number of a text, which is copied. -ENOMEM. */
int texts_add(struct texts *texts, const char *text, int64_t *ret);
void texts_free(struct texts *texts);

#endif
