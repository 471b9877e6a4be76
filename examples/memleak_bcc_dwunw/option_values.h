/* SPDX-License-Identifier: BSD-2-Clause */
/* The values of options: parsed, or refused with one line on stderr. Private to options.c and option_values.c. */
#ifndef OPTION_VALUES_H
#define OPTION_VALUES_H

#include <argp.h>

#include "options.h"

/* What the parser carries: the result, and the status that ends the program. */
struct parsed {
	struct options options;
	int status;
	int n_arguments;
	bool have_help; /* --help, --usage or --version was answered */
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
/* INTERVAL [INTERVALS] */
error_t parse_argument(struct argp_state *state, const char *arg);

#endif
