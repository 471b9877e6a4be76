/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Debug files from debuginfod servers, through elfutils' libdebuginfod, which is loaded when it is first needed and keeps what it got in
 * the user's cache (debuginfod_find_debuginfo(3)). A server that is silent for 5 s, or takes more than a minute for one file, is not asked
 * again.
 */
#ifndef SYMBOLIZE_DEBUGINFOD_H
#define SYMBOLIZE_DEBUGINFOD_H

#include <stddef.h>
#include <stdint.h>

struct debuginfod;

/*
 * `urls`: as of DEBUGINFOD_URLS, to be copied; `tell` (may be NULL): what a user is to know, a line each, without newline; `progress`: how
 * far a download is, several times a second, NULL: that is told as well, every 5 s. -ENOMEM
 */
int debuginfod_create(const char *urls, void (*tell)(const char *line),
		      void (*progress)(const char *line), struct debuginfod **ret);
void debuginfod_destroy(struct debuginfod *server);

/*
 * The debug file for a build ID of `size` bytes; `name` is what messages call it. A descriptor, the caller's, and its path, to
 * be freed, in *ret_path; -ENOENT: there is none to be had.
 */
int debuginfod_get(struct debuginfod *server, const uint8_t *id, size_t size, const char *name,
		   char **ret_path);

/* What it sent for `name` is not that file's. */
void debuginfod_tell_garbage(struct debuginfod *server, const char *name);

#endif
