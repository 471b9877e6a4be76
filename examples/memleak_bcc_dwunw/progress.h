/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What takes longer than half a second is told while it lasts: one line on stderr, if that is a terminal, which is erased at the end. Of
 * tasks within tasks the innermost is told. All calls come from one thread; another one draws.
 */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

/* "loading unwind tables", "files". Both must live until progress_end(). */
void progress_begin(const char *what, const char *unit);
/* "loading unwind tables: 12 of 40 files"; `all` 0: not known. */
void progress_step(size_t done, size_t all);
/* This instead, until the next step; control characters in it appear as '?'. */
void progress_say(const char *line);
void progress_end(void);
/* Whether it would be told. */
bool progress_is_told(void);

/* Around what else is written to the terminal. */
void progress_hide(void);
void progress_return(void);

/*
 * Lines go to `show` instead, whether or not there is a terminal; it is called by the thread that draws, only between progress_begin() and
 * progress_end(). NULL: to stderr again. Not within a task.
 */
typedef void progress_show(void *context, const char *line);
void progress_to(progress_show *show, void *context);

#endif
