/* SPDX-License-Identifier: BSD-2-Clause */
/* --output: views to files. One thread at a time. */
#ifndef OUTPUT_OUTPUT_H
#define OUTPUT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

struct outputs;
struct view;

enum output_kind { OUTPUT_TXT, OUTPUT_JSON, OUTPUT_HTML, OUTPUT_FOLDED, OUTPUT_PPROF };

/* What a file of this name holds, by its end; -EINVAL: none of these. */
int output_kind(const char *path, enum output_kind *ret);

struct outputs_options {
	const char *const *paths; /* of kinds that are known; with %t: the time of the report */
	size_t n_paths;
	bool folded_count; /* .folded: blocks instead of bytes */
	const char *diff; /* a .json file, whose last report others are compared with; NULL: none */
};

/* Whether files can be written is tried here. What goes wrong is said. Strings must live as long as *ret. */
int outputs_create(const struct outputs_options *options, struct outputs **ret);
/* NULL is fine. */
void outputs_destroy(struct outputs *outputs);

/* Compares the view with the earlier one (view_compare()), if that was asked for. */
int outputs_compare(const struct outputs *outputs, struct view *view);

/*
 * Writes every file (output_file.h): those whose name has %t anew for each report; of the others .json files hold a line for each report since
 * outputs_create(), and the rest this report. `report`: its text. Tries all files; returns the first error, each was said.
 */
int outputs_write(struct outputs *outputs, const struct view *view, const char *report);

#endif
