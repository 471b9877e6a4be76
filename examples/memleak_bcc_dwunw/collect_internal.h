/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to collect.c and collect_frames.c. */
#ifndef COLLECT_INTERNAL_H
#define COLLECT_INTERNAL_H

#include "collect.h"

/* dwunw-added begin */
struct dwunw_stack;

/* The stack of an id of dwunw_get_stackid(); NULL: *reason says why there is none. */
const struct dwunw_stack *collect_find_dwunw(const struct collect_source *source, int64_t id,
					     unsigned int *reason);
/* How `stack` was walked; NULL: `reason` says why there is none. */
void collect_describe_dwunw(const struct dwunw_stack *stack, unsigned int reason,
			    struct report_stack *ret);
/* dwunw-added end */

#endif
