/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef OUTPUT_COMPARE_H
#define OUTPUT_COMPARE_H

struct view;

/*
 * Says of each stack of `view` what it held in `before`. Stacks are the same whose frames are in the same functions of files of the same name, at
 * the same places where there are such, and that end for the same reason; in code without a name, at the same offsets of the
 * files. Where either is of several processes, these are told apart: by number, if any has the same in both, else by name. Those of `before`
 * that have no such stack follow behind the others, and hold nothing now. `before` may be freed then. -ENOMEM; the view is then to be freed.
 */
int view_compare(struct view *view, const struct view *before);

#endif
