/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that are never seen half written. A regular file is written beside itself under another name, which is then changed, so it is the old one
 * until it is the new one; a symbolic link to it stays. What is there and is no regular file (a FIFO, a device) is written to directly. New files
 * have the permissions that fopen() gives. Functions return 0 or a negative errno.
 */
#ifndef OUTPUT_OUTPUT_FILE_H
#define OUTPUT_OUTPUT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/* Whether the file can be written, as far as that can be known before: nothing is left behind. */
int output_file_check(const char *path);

/* The file then holds `n` bytes, and nothing else; or, where that fails, what it held. -ENXIO: nobody reads the FIFO. */
int output_file_replace(const char *path, const char *bytes, size_t n);

/* The same, behind what it holds, by one write(): who reads meanwhile may see the beginning of it. */
int output_file_append(const char *path, const char *bytes, size_t n);

/* Numbers reports of one second. */
struct output_times {
	time_t last;
	unsigned int n;
};

/*
 * The time of a report (UTC), different from all before: 20261123T054602Z, the second one in that second 20261123T054602Z-2. Where the clock was set
 * back, reports are as of its last second.
 */
void output_time(struct output_times *times, time_t when, char ret[64]);

/* `path` with `time` for each %t. To be freed; NULL: no memory. */
char *output_name(const char *path, const char *time);
bool output_has_time(const char *path);

#endif
