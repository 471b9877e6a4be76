/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each stack held at the last report, for the growth since. A stack is the same one in two reports where process and identity
 * (report.h) are equal.
 */
#ifndef GROWTH_H
#define GROWTH_H

#include <stdint.h>

struct growth;
struct report_groups;
struct report_snapshot;

/* Keeps the totals of all groups. -ENOMEM. To be freed with growth_free(). */
int growth_create(const struct report_snapshot *snapshot, const struct report_groups *groups,
		  struct growth **ret);
void growth_free(struct growth *growth);

/* What the stack held then: 0, 0 where it held nothing, or `growth` is NULL: there was no report before. */
void growth_find(const struct growth *growth, uint32_t pid, uint64_t identity, uint64_t *bytes,
		 uint64_t *blocks);

#endif
