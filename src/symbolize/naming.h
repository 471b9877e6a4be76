/* SPDX-License-Identifier: BSD-2-Clause */
/* How names and paths are shown, the strings themselves, and the process that reads debug information: what all files of a symbolizer share. */
#ifndef SYMBOLIZE_NAMING_H
#define SYMBOLIZE_NAMING_H

#include "symbolize/strings.h"
#include "symbolize/symbolize.h"

struct debug_worker;
struct debuginfod;

struct naming {
	struct symbolizer_options options;
	struct strings strings;
	struct debuginfod *server; /* NULL: none */
	struct debug_worker *worker;
};

/* -ENOMEM */
int naming_create(const struct symbolizer_options *options, struct naming **ret);
void naming_destroy(struct naming *naming);

/* A function's name as it is shown; `suffix` ("" or "@plt") is put behind it. Kept until the end; NULL: no memory. */
const char *naming_function(struct naming *naming, const char *raw, const char *suffix);

/* A source file's; `folder`: in which the compiler ran, or NULL. The same. */
const char *naming_path(struct naming *naming, const char *file, const char *folder);

#endif
