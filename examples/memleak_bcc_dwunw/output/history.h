/* SPDX-License-Identifier: BSD-2-Clause */
/* What each stack held at the last reports of a run. Pure. One thread at a time. */
#ifndef OUTPUT_HISTORY_H
#define OUTPUT_HISTORY_H

#include <stddef.h>

struct view;
struct history;

#define HISTORY_MAX_REPORTS 60
/* With all reports of all of them: 34 MB; as much again in each view. */
#define HISTORY_MAX_STACKS 65536

/* -ENOMEM. */
int history_create(struct history **ret);
/* NULL is fine. */
void history_free(struct history *history);

/*
 * Adds a report and gives the view the histories of its stacks, which are its own; another view of the same report (elapsed_ns) is
 * only given them. Stacks that are not in the report are forgotten. Returns how many stacks have no history, because they are more
 * than HISTORY_MAX_STACKS; -ENOMEM: the view may have none.
 */
int history_add(struct history *history, struct view *view);

#endif
