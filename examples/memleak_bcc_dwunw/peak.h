/* SPDX-License-Identifier: BSD-2-Clause */
/* --peak: the report of the highest total seen. It is kept as text: what its names come from may be gone at the end. */
#ifndef PEAK_H
#define PEAK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

struct report_groups;
struct report_options;
struct report_snapshot;

struct peak { /* begins with zeroes */
	uint64_t bytes;
	char *text; /* NULL: nothing was seen yet */
	size_t length;
};

/* Whether a total of so many bytes is higher than those before; the first is. */
bool peak_is_new(const struct peak *peak, uint64_t bytes);
/* Keeps the report of these groups, whose stacks have their frames. -ENOMEM: the one before stays. */
int peak_keep(struct peak *peak, const struct report_snapshot *snapshot,
	      const struct report_groups *groups, const struct report_options *options,
	      const struct tm *when);
void peak_print(FILE *out, const struct peak *peak);
void peak_free(struct peak *peak);

#endif
