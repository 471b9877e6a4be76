/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the debug information of one ELF file may be, best first: in itself, in the file that its build ID names, in the one that
 * .gnu_debuglink names, on a debuginfod server. Each is looked for once, when it is first asked for.
 */
#ifndef SYMBOLIZE_DEBUG_FILES_H
#define SYMBOLIZE_DEBUG_FILES_H

#include "symbolize/symbolize.h"

struct elf_file;
struct naming;

enum debug_place { DEBUG_OWN, DEBUG_BY_ID, DEBUG_BY_LINK, DEBUG_SERVER, DEBUG_N_PLACES };

struct debug_files {
	struct elf_file *own;
	const char *path;      /* of it */
	struct naming *naming; /* where debug files are, which server is asked, who is told */
	struct debug_file {
		bool known;
		int fd; /* negative errno: it is not there */
		char *path;
		struct elf_file *elf; /* NULL: not opened, or no ELF file of the same build */
	} files[DEBUG_N_PLACES];
};

/* `path`, `naming` must live as long. */
void debug_files_init(struct debug_files *files, struct elf_file *own, const char *path,
		      struct naming *naming);
void debug_files_free(struct debug_files *files);

/* Of the same build as the file itself. -ENOENT */
int debug_files_get(struct debug_files *files, enum debug_place place, struct elf_file **ret);

/* Descriptor, the caller's, of what .gnu_debugaltlink of that file names (dwz); -1: none is named, or there. */
int debug_files_alternate(struct debug_files *files, enum debug_place place);

/* "debug file by build ID", ...: as a user calls it. */
const char *debug_place_text(enum debug_place place);

#endif
