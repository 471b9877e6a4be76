/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What symbolizers have in common: how names and paths are shown, the strings themselves, the files, each open once for all processes that map
 * it, and the process that reads debug information. One thread at a time.
 */
#ifndef SYMBOLIZE_NAMING_H
#define SYMBOLIZE_NAMING_H

#include "symbolize/losses.h"
#include "symbolize/strings.h"
#include "symbolize/symbolize.h"

struct debug_worker;
struct debuginfod;

struct naming {
	struct symbolizer_options options;
	struct strings strings;
	struct strings told;	   /* by naming_tell_once() */
	struct debuginfod *server; /* NULL: none */
	struct debug_worker *worker;
	struct symbol_file *files; /* that are open; symbol_file.c's */
	struct loss_count {
		uint64_t n, told;
		const char *first; /* path of the file that it was first met in */
	} losses[N_LOSSES];
};

/* `options` NULL: all off. -ENOMEM */
int naming_create(const struct symbolizer_options *options, struct naming **ret);
/* When no symbolizer and no file uses it any more. NULL is allowed. */
void naming_destroy(struct naming *naming);

/* A line for the user; each text once, and of different texts at most 256, then one line that says that there are more. */
void naming_tell_once(struct naming *naming, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* `n` more, met in the file at `path`. */
void naming_lost(struct naming *naming, enum loss loss, uint64_t n, const char *path);
/* A line for each loss that has grown since the last call. */
void naming_tell_losses(struct naming *naming);

/* A function's name as it is shown; `suffix` ("" or "@plt") is put behind it. Kept until the end; NULL: no memory. */
const char *naming_function(struct naming *naming, const char *raw, const char *suffix);

/* `text` itself. The same. */
const char *naming_keep(struct naming *naming, const char *text);

/* A source file's; `folder`: in which the compiler ran, or NULL. The same. */
const char *naming_path(struct naming *naming, const char *file, const char *folder);

#endif
