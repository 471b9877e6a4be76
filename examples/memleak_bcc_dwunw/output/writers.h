/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One function for each kind of file: a view goes in, the bytes of a whole file come out (of .json: one line). Pure, and right for any view,
 * also one of hostile names. 0 or -ENOMEM; whether `out` took it all is for the caller to ask (ferror()).
 */
#ifndef OUTPUT_WRITERS_H
#define OUTPUT_WRITERS_H

#include <stdbool.h>
#include <stdio.h>

struct view;

/* What is not in the view. */
struct output_how {
	const char *report; /* its text, as on stdout */
	bool folded_count;  /* .folded: blocks instead of bytes */
};

int output_write_text(FILE *out, const struct view *view, const struct output_how *how);
int output_write_json(FILE *out, const struct view *view, const struct output_how *how);
int output_write_html(FILE *out, const struct view *view, const struct output_how *how);
int output_write_folded(FILE *out, const struct view *view, const struct output_how *how);
int output_write_pprof(FILE *out, const struct view *view, const struct output_how *how);

#endif
