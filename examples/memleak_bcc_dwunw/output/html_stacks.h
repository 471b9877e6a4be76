/* SPDX-License-Identifier: BSD-2-Clause */
/* The stacks of a view for the page: what they share is written once. Private to html*.c. */
#ifndef OUTPUT_HTML_STACKS_H
#define OUTPUT_HTML_STACKS_H

#include <stdio.h>

struct view;

#define HTML_MAX_POINTS 24 /* of a stack's line; of more reports, every second or third */

/*
 * Members of a JSON object, for page/data.js; "column" is script_column():
 *
 *   files              texts
 *   functions          a name, or, where there is none, [frame_name(), pc in hexadecimal]
 *   function_module    column: index into modules + 1; 0: none
 *   function_file      column: index into files + 1; 0: none
 *   frame_function     column: index into functions
 *   frame_at           column: line; where it is not known, the offset in the function as a negative number
 *   frame_flags        a digit each: 1 inlined, 2 left by frame pointer
 *   shared, own        columns, by stack: how many frames, from the root, are those of the stack before; how many follow
 *   frames             column: of all stacks, those that follow: index of the frame; from the root to the innermost
 *   texts              texts
 *   columns            by stack, columns: rank (in the report), bytes, blocks, sampled, oldest, median (both in
 *                      tenths of a second), growth_bytes, per_minute
 *                      (bytes), before_bytes, before_blocks, pid, tid, comm (index into texts), reports (of its
 *                      history), stop (index into texts + 1; 0: complete)
 *   history_step       how many reports a point of a line is
 *   history            by stack: a digit of script_digit() for each point, 63 is the most that the stack held; this report is the last;
 *                      one digit if all are equal
 *
 * Stacks are in an order in which they share most. -ENOMEM.
 */
int html_stacks_print(FILE *out, const struct view *view);

#endif
