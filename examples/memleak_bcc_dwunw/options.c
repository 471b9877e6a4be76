/* SPDX-License-Identifier: BSD-2-Clause */
#include "options.h"

#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "words.h"

#define PROGRAM_VERSION "memleak_dwunw_user 0.1"

#define MAX_STACK_DEPTH 1023 /* DWUNW_MAX_FRAMES - 1: the last slot shows that there were more */
#define MAX_STORED_STACKS (1 << 24)	/* the kernel's table of them would take more than 1 GB */
#define MAX_INTERVAL_S (INT_MAX / 1000) /* poll() counts milliseconds in an int */
#define MAX_OLDER_MS (UINT64_MAX / 1000000)

/* Options without a letter. */
enum {
	KEY_STACK_DEPTH = 0x100,
	KEY_STORED_STACKS,
	KEY_FOLLOW,
	KEY_WALK,
	KEY_SLICE,
	KEY_SHARE,
	KEY_USAGE
};

/* What the parser carries: the result, and the status that ends the program. */
struct parsed {
	struct options options;
	int status;
	int n_arguments;
	bool have_help; /* --help, --usage or --version was answered */
};

static const char doc[] =
	"Shows which stacks hold memory that a process has allocated and not freed.\n"
	"\n"
	"Every INTERVAL seconds (default: 5), INTERVALS times (default: until Ctrl-C or the end of "
	"the "
	"process), the stacks with the most outstanding bytes are printed. They reach the root of "
	"their thread also where the program was built without frame pointers. Give -p or -c."
	"\v"
	"Examples:\n"
	"  memleak_dwunw_user -p 1234           a report every 5 seconds\n"
	"  memleak_dwunw_user -p 1234 -a 10 3   three reports that list each block\n"
	"  memleak_dwunw_user -p 1234 -o 60000  only blocks that are a minute old\n"
	"  memleak_dwunw_user -c 'ls -l /tmp'   a command, traced from its start\n"
	"\n"
	"Exit status: 0; 1 for options that contradict each other; 64 for a wrong command line; "
	"another value, and why on stderr, for everything else.";

static const struct argp_option argp_options[] = {
	{"pid", 'p', "PID[,PID...]", 0,
	 "trace this process, or these; may be repeated (default: none)", 1},
	{"command", 'c', "COMMAND", 0,
	 "run this command line, with arguments and PATH, and trace it (default: none)", 1},
	{"follow-forks", KEY_FOLLOW, NULL, 0,
	 "trace the children of these processes as well, from shortly after they begin (default: "
	 "off)",
	 1},
	{"obj", 'O', "OBJECT", 0,
	 "object whose allocation functions are traced, a path or a soname "
	 "(default: libc.so.6)",
	 1},

	{"show-allocs", 'a', NULL, 0,
	 "list the address and size of each block under its stack (default: off)", 2},
	{"older", 'o', "AGE_MS", 0,
	 "only blocks at least this many milliseconds old (default: 500)", 2},
	{"top", 'T', "TOP_STACKS", 0, "show this many stacks, most bytes first (default: 10)", 2},
	{"min-size", 'z', "MIN_SIZE", 0,
	 "only allocations of at least this many bytes (default: 0)", 2},
	{"max-size", 'Z', "MAX_SIZE", 0,
	 "only allocations of at most this many bytes (default: no limit)", 2},

	{"dwunw-mode", 'W', "MODE", 0,
	 "how stacks are walked: off: by frame pointers, as the kernel does; fallback: by call "
	 "frame information, by frame pointers where there is none; force: by call frame "
	 "information alone, others are summed up, and what may not be read is an error "
	 "(default: fallback)",
	 3},
	{"dwunw-walk", KEY_WALK, "WHERE", 0,
	 "walk stacks in the kernel, or copy them and walk them in user space, which costs more: "
	 "kernel, user "
	 "(default: kernel, where it has bpf_loop)",
	 3},
	{"dwunw-slice", KEY_SLICE, "KIB", 0,
	 "copy this much of a stack that is to be finished in user space, 1 to 64 (default: 16)",
	 3},
	{"dwunw-share", KEY_SHARE, "PERCENT", 0,
	 "at most this share of a CPU's time for sending such stacks, 1 to 100 (default: 2)", 3},
	{"perf-max-stack-depth", KEY_STACK_DEPTH, "FRAMES", 0,
	 "at most this many frames for a stack, 1 to 1023 (default: 127)", 3},
	{"stack-storage-size", KEY_STORED_STACKS, "STACKS", 0,
	 "room for this many different stacks (default: 131072)", 3},

	{"verbose", 'v', NULL, 0,
	 "say more on stderr, and show the registers of each frame (default: off)", 4},
	{"help", '?', NULL, 0, "give this help list", -1},
	{NULL, 'h', NULL, OPTION_ALIAS, NULL, -1},
	{"usage", KEY_USAGE, NULL, 0, "give a short usage message", -1},
	{"version", 'V', NULL, 0, "print program version", -1},
	{0},
};

/* One line on stderr; `status` becomes that of the program. The result ends the parsing. */
__attribute__((format(printf, 3, 4))) static error_t refuse(const struct argp_state *state,
							    int status, const char *format, ...)
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
static error_t parse_number(const struct argp_state *state, const char *option, const char *arg,
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

static error_t parse_unsigned(const struct argp_state *state, const char *option, const char *arg,
			      unsigned int max, unsigned int *ret)
{
	uint64_t value;
	error_t err = parse_number(state, option, arg, 1, max, &value);

	if (!err)
		*ret = value;
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
static error_t parse_pids(const struct argp_state *state, const char *arg, struct options *options)
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

static error_t parse_text(const struct argp_state *state, const char *option, const char *arg,
			  const char **ret)
{
	if (arg[strspn(arg, " \t\n")] == '\0')
		return refuse(state, EX_USAGE, "%s: must not be empty", option);
	*ret = arg;
	return 0;
}

/* Refuses here what could not be split later: the message can still say why. */
static error_t parse_command(const struct argp_state *state, const char *arg, const char **ret)
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

static error_t parse_mode(const struct argp_state *state, const char *arg, enum options_mode *ret)
{
	static const char *const names[] = {
		[OPTIONS_MODE_OFF] = "off",
		[OPTIONS_MODE_FALLBACK] = "fallback",
		[OPTIONS_MODE_FORCE] = "force",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(arg, names[i]))
			continue;
		*ret = i;
		return 0;
	}
	return refuse(state, EX_USAGE, "--dwunw-mode: '%s' is not one of off, fallback, force",
		      arg);
}

static error_t parse_walk(const struct argp_state *state, const char *arg, bool *in_user_space)
{
	*in_user_space = strcmp(arg, "user") == 0;
	if (*in_user_space || strcmp(arg, "kernel") == 0)
		return 0;
	return refuse(state, EX_USAGE, "--dwunw-walk: '%s' is not one of kernel, user", arg);
}

static error_t parse_argument(struct argp_state *state, const char *arg)
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

static error_t check_contradictions(const struct argp_state *state, const struct options *options)
{
	if (options->n_pids && options->command)
		return refuse(state, EXIT_FAILURE, "--pid and --command exclude each other");
	if (options->min_size > options->max_size)
		return refuse(state, EXIT_FAILURE, "--min-size %llu is larger than --max-size %llu",
			      (unsigned long long)options->min_size,
			      (unsigned long long)options->max_size);
	if (!options->n_pids && !options->command)
		return refuse(state, EXIT_FAILURE,
			      "kernel mode is not there yet: give --pid or --command");
	return 0;
}

static error_t answer(struct argp_state *state, int key)
{
	struct parsed *parsed = state->input;

	if (key == 'V')
		puts(PROGRAM_VERSION);
	else
		argp_state_help(state, stdout,
				key == KEY_USAGE ? ARGP_HELP_USAGE : ARGP_HELP_STD_HELP);
	parsed->have_help = true;
	return EINVAL;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct parsed *parsed = state->input;
	struct options *options = &parsed->options;

	switch (key) {
	case 'p':
		return parse_pids(state, arg, options);
	case 'c':
		return parse_command(state, arg, &options->command);
	case 'O':
		return parse_text(state, "--obj", arg, &options->object);
	case 'a':
		options->show_allocs = true;
		return 0;
	case 'o':
		return parse_number(state, "--older", arg, 0, MAX_OLDER_MS, &options->older_ms);
	case 'T':
		return parse_unsigned(state, "--top", arg, UINT_MAX, &options->top_stacks);
	case 'z':
		return parse_number(state, "--min-size", arg, 0, UINT64_MAX, &options->min_size);
	case 'Z':
		return parse_number(state, "--max-size", arg, 0, UINT64_MAX, &options->max_size);
	case 'W':
		return parse_mode(state, arg, &options->mode);
	case KEY_FOLLOW:
		options->follow_forks = true;
		return 0;
	case KEY_WALK:
		return parse_walk(state, arg, &options->walk_in_user_space);
	case KEY_SLICE:
		return parse_unsigned(state, "--dwunw-slice", arg, 64, &options->slice_kib);
	case KEY_SHARE:
		return parse_unsigned(state, "--dwunw-share", arg, 100, &options->share_percent);
	case KEY_STACK_DEPTH:
		return parse_unsigned(state, "--perf-max-stack-depth", arg, MAX_STACK_DEPTH,
				      &options->max_stack_depth);
	case KEY_STORED_STACKS:
		return parse_unsigned(state, "--stack-storage-size", arg, MAX_STORED_STACKS,
				      &options->stack_storage_size);
	case 'v':
		options->verbose = true;
		return 0;
	case '?':
	case 'h':
	case 'V':
	case KEY_USAGE:
		return answer(state, key);
	case ARGP_KEY_ARG:
		return parse_argument(state, arg);
	case ARGP_KEY_END:
		return check_contradictions(state, options);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int options_parse(int argc, char **argv, struct options *ret)
{
	static const struct argp argp = {
		argp_options, parse_option, "[INTERVAL [INTERVALS]]", doc, NULL, NULL, NULL};
	struct parsed parsed = {
		.options =
			{
				.older_ms = 500,
				.top_stacks = 10,
				.max_size = UINT64_MAX,
				.object = "libc.so.6",
				.mode = OPTIONS_MODE_FALLBACK,
				.slice_kib = 16,
				.share_percent = 2,
				.max_stack_depth = 127,
				.stack_storage_size = 131072,
				.interval_s = 5,
			},
	};
	/* NO_EXIT: our status; NO_HELP: argp's help options would then not end the program. */
	error_t err = argp_parse(&argp, argc, argv, ARGP_NO_EXIT | ARGP_NO_HELP, NULL, &parsed);

	if (parsed.have_help)
		exit(EXIT_SUCCESS);
	if (parsed.status)
		return parsed.status;
	if (err == ENOMEM) {
		fprintf(stderr, "%s: %s\n", argv[0], strerror(err));
		return EXIT_FAILURE;
	}
	if (err)
		return EX_USAGE; /* argp has said why */
	*ret = parsed.options;
	return 0;
}
