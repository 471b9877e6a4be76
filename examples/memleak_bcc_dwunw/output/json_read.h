/* SPDX-License-Identifier: BSD-2-Clause */
/* Views from .json files. Whatever is in the file, it is refused or a view comes of it that all writers take; memory and time are bounded. */
#ifndef OUTPUT_JSON_READ_H
#define OUTPUT_JSON_READ_H

#include <stddef.h>

#define JSON_MAX_LINE ((size_t)64 << 20)  /* bytes */
#define JSON_MAX_FRAMES ((size_t)8 << 20) /* of all stacks together */
#define JSON_MAX_PARTS ((size_t)2 << 20)  /* objects and arrays */
#define JSON_MAX_PROCESSES 256
#define JSON_MAX_REASON 200 /* bytes, with the 0 behind */

struct view;

/* One line of docs/report-json.md, without history and what it was compared with. -EINVAL: `why` says what is wrong with it; -ENOMEM. */
int json_read(const char *bytes, size_t n, struct view **ret, char why[JSON_MAX_REASON]);

/* The last report of a file: its last line that has an end. What goes wrong is in `why`. */
int json_read_file(const char *path, struct view **ret, char why[JSON_MAX_REASON]);

#endif
