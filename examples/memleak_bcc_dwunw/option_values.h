/* SPDX-License-Identifier: BSD-2-Clause */
/* The values of options: parsed, or refused with one line on stderr. Private to option*.c. */
#ifndef OPTION_VALUES_H
#define OPTION_VALUES_H

#include <argp.h>

#include "options.h"

/* Keys of options without a letter. */
enum option_key {
	KEY_STACK_DEPTH = 0x100,
	KEY_STORED_STACKS,
	KEY_NO_INLINES,
	KEY_NO_LINES,
	KEY_NO_DEMANGLE,
	KEY_SHORT_NAMES,
	KEY_SOURCE_PREFIX,
	KEY_DEBUG_DIR,
	KEY_DEBUGINFOD,
	KEY_FOLLOW,
	KEY_COMM,
	KEY_CGROUP,
	KEY_SORT,
	KEY_DETAILS,
	KEY_PEAK,
	KEY_SAMPLE_BYTES,
	KEY_MAX_OVERHEAD,
	KEY_MAX_BLOCKS,
	KEY_DURATION,
	KEY_STOP,
	KEY_FAIL,
	KEY_OUTPUT,
	KEY_FOLDED_COUNT,
	KEY_DIFF,
	KEY_TUI,
	KEY_WALK,
	KEY_SLICE,
	KEY_SHARE,
	KEY_USAGE
};

/* option_table.c */
extern const char options_doc[];
extern const struct argp_option options_table[];

/* What the parser carries: the result, and the status that ends the program. */
struct parsed {
	struct options options;
	int status;
	int n_arguments;
	bool have_help; /* --help, --usage or --version was answered */
	bool have_mode; /* --dwunw-mode was given */
};

/* One line on stderr; `status` becomes that of the program. The result ends the parsing. */
__attribute__((format(printf, 3, 4))) error_t refuse(const struct argp_state *state, int status,
						     const char *format, ...);

/* All return 0, or an error with the message printed and *ret untouched. */
error_t parse_number(const struct argp_state *state, const char *option, const char *arg,
		     uint64_t min, uint64_t max, uint64_t *ret);
error_t parse_unsigned(const struct argp_state *state, const char *option, const char *arg,
		       unsigned int max, unsigned int *ret);
/* A number of bytes, also with K, M or G (powers of 1024) behind it; at least `min`. */
error_t parse_bytes(const struct argp_state *state, const char *option, const char *arg,
		    uint64_t min, uint64_t *ret);
error_t parse_text(const struct argp_state *state, const char *option, const char *arg,
		   const char **ret);
/* `choices` ends with NULL; *ret: the index of the one that `arg` is. */
error_t parse_choice(const struct argp_state *state, const char *option, const char *arg,
		     const char *const *choices, unsigned int *ret);
error_t parse_pids(const struct argp_state *state, const char *arg, struct options *options);
error_t parse_command(const struct argp_state *state, const char *arg, const char **ret);
/* OLD=NEW of --source-prefix */
error_t parse_prefix(const struct argp_state *state, const char *arg, struct options *options);
/* FILE of --output, whose end says what is written */
error_t parse_output(const struct argp_state *state, const char *arg, struct options *options);
/* INTERVAL [INTERVALS] */
error_t parse_argument(struct argp_state *state, const char *arg);

#endif
