// SPDX-License-Identifier: BSD-2-Clause
#include "option_values.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "output/output.h"
#include "words.h"

#define MAX_INTERVAL_S (INT_MAX / 1000) /* poll() counts milliseconds in an int */

/* One line on stderr; `status` becomes that of the program. The result ends the parsing. */
error_t refuse(const struct argp_state *state, int status, const char *format, ...)
{
	struct parsed *parsed = state->input;
	va_list args;

	fprintf(stderr, "%s: ", state->name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	putc('\n', stderr);
	parsed->status = status;
	return EINVAL;
}

/*
 * The whole of `arg` as a decimal number in [min, max]. strtoull() alone takes blanks, signs and
 * what follows the number.
 */
error_t parse_number(const struct argp_state *state, const char *option, const char *arg,
		     uint64_t min, uint64_t max, uint64_t *ret)
{
	unsigned long long value = 0;

	errno = 0;
	if (arg[0] != '\0' && arg[strspn(arg, "0123456789")] == '\0')
		value = strtoull(arg, NULL, 10);
	else
		errno = EINVAL;
	if (errno == EINVAL)
		return refuse(state, EX_USAGE, "%s: '%s' is not a number", option, arg);
	if (errno || value < min || value > max)
		return refuse(state, EX_USAGE, "%s: %s is not in the range %llu to %llu", option,
			      arg, (unsigned long long)min, (unsigned long long)max);
	*ret = value;
	return 0;
}

error_t parse_unsigned(const struct argp_state *state, const char *option, const char *arg,
		       unsigned int max, unsigned int *ret)
{
	uint64_t value;
	error_t err = parse_number(state, option, arg, 1, max, &value);

	if (!err)
		*ret = value;
	return err;
}

error_t parse_bytes(const struct argp_state *state, const char *option, const char *arg,
		    uint64_t min, uint64_t *ret)
{
	static const char suffixes[] = "KMG";
	size_t n = strspn(arg, "0123456789");
	const char *suffix = arg[n] ? strchr(suffixes, arg[n]) : NULL;
	unsigned int shift = suffix ? 10 * (unsigned int)(suffix - suffixes + 1) : 0;
	char digits[32];
	uint64_t value;
	error_t err;

	if (n >= sizeof(digits) || (suffix && arg[n + 1]) || (!suffix && arg[n]))
		return refuse(state, EX_USAGE, "%s: '%s' is not a number of bytes", option, arg);
	memcpy(digits, arg, n);
	digits[n] = '\0';
	err = parse_number(state, option, digits, min, UINT64_MAX >> shift, &value);
	if (!err)
		*ret = value << shift;
	return err;
}

static error_t add_pid(const struct argp_state *state, const char *arg, struct options *options)
{
	uint64_t value;
	error_t err = parse_number(state, "--pid", arg, 1, INT_MAX, &value);

	if (err)
		return err;
	for (unsigned int i = 0; i < options->n_pids; i++)
		if ((uint64_t)options->pids[i] == value)
			return 0;
	if (options->n_pids == MEMLEAK_MAX_TARGETS)
		return refuse(state, EX_USAGE, "--pid: more than %d processes",
			      MEMLEAK_MAX_TARGETS);
	options->pids[options->n_pids++] = (pid_t)value;
	return 0;
}

/* One, or several with commas between them. */
error_t parse_pids(const struct argp_state *state, const char *arg, struct options *options)
{
	error_t err = 0;

	while (!err) {
		const char *comma = strchrnul(arg, ',');
		char *number = strndup(arg, (size_t)(comma - arg));

		if (!number)
			return ENOMEM;
		err = add_pid(state, number, options);
		free(number);
		if (!*comma)
			break;
		arg = comma + 1;
	}
	return err;
}

error_t parse_text(const struct argp_state *state, const char *option, const char *arg,
		   const char **ret)
{
	if (arg[strspn(arg, " \t\n")] == '\0')
		return refuse(state, EX_USAGE, "%s: must not be empty", option);
	*ret = arg;
	return 0;
}

/* Refuses here what could not be split later: the message can still say why. */
error_t parse_command(const struct argp_state *state, const char *arg, const char **ret)
{
	error_t err = parse_text(state, "--command", arg, ret);
	char **words;

	if (err)
		return err;
	err = -words_split(arg, &words);
	if (err == EINVAL)
		return refuse(state, EX_USAGE, "--command: a quote or backslash in '%s' has no end",
			      arg);
	if (!err)
		words_free(words);
	return err;
}

error_t parse_choice(const struct argp_state *state, const char *option, const char *arg,
		     const char *const *choices, unsigned int *ret)
{
	char all[128] = "";

	for (unsigned int i = 0; choices[i]; i++) {
		size_t used = strlen(all);

		if (strcmp(arg, choices[i]) == 0) {
			*ret = i;
			return 0;
		}
		snprintf(all + used, sizeof(all) - used, "%s%s", i ? ", " : "", choices[i]);
	}
	return refuse(state, EX_USAGE, "%s: '%s' is not one of %s", option, arg, all);
}

error_t parse_prefix(const struct argp_state *state, const char *arg, struct options *options)
{
	if (arg[0] == '=' || !strchr(arg, '='))
		return refuse(state, EX_USAGE, "--source-prefix: '%s' is not OLD=NEW", arg);
	if (options->n_source_prefixes == OPTIONS_MAX_PREFIXES)
		return refuse(state, EX_USAGE, "--source-prefix: more than %d",
			      OPTIONS_MAX_PREFIXES);
	options->source_prefixes[options->n_source_prefixes++] = arg;
	return 0;
}

error_t parse_output(const struct argp_state *state, const char *arg, struct options *options)
{
	enum output_kind kind;

	if (output_kind(arg, &kind))
		return refuse(
			state, EX_USAGE,
			"--output: '%s' does not end with .txt, .json, .html, .folded or .pb.gz",
			arg);
	if (options->n_outputs == OPTIONS_MAX_OUTPUTS)
		return refuse(state, EX_USAGE, "--output: more than %d", OPTIONS_MAX_OUTPUTS);
	options->outputs[options->n_outputs++] = arg;
	return 0;
}

error_t parse_argument(struct argp_state *state, const char *arg)
{
	struct parsed *parsed = state->input;

	switch (parsed->n_arguments++) {
	case 0:
		return parse_unsigned(state, "INTERVAL", arg, MAX_INTERVAL_S,
				      &parsed->options.interval_s);
	case 1:
		return parse_unsigned(state, "INTERVALS", arg, UINT_MAX,
				      &parsed->options.n_intervals);
	default:
		return refuse(state, EX_USAGE, "unexpected argument '%s'", arg);
	}
}
