/* SPDX-License-Identifier: BSD-2-Clause */
#include "options.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "option_values.h"
#include "sampling_format.h"

#define PROGRAM_VERSION "memleak_dwunw_user 0.1"

#define MAX_STACK_DEPTH 1023 /* DWUNW_MAX_FRAMES - 1: the last slot shows that there were more */
#define MAX_STORED_STACKS (1 << 24) /* the kernel's table of them would take more than 1 GB */
#define MAX_BLOCKS (1 << 30)
/* Without the option. In kernel mode their memory is taken at once. */
#define USER_MAX_BLOCKS (4 << 20)
#define KERNEL_MAX_BLOCKS (1 << 20)
#define USER_STACKS 131072
#define KERNEL_STACKS 65536

/* Without the argument, seconds. */
#define INTERVAL_S 5
#define TUI_INTERVAL_S 2

#define MAX_OLDER_MS (UINT64_MAX / 1000000)
#define MAX_DURATION_S (INT_MAX / 1000)

/* A process is traced: what is for the kernel's allocations alone. */
static error_t refuse_of_kernel(const struct argp_state *state, const struct options *options)
{
	const char *option = options->cgroup	     ? "--cgroup"
			     : options->percpu	     ? "--percpu"
			     : options->missing_free ? "--wa-missing-free"
						     : NULL;

	return option ? refuse(state, EXIT_FAILURE,
			       "%s is for the kernel's allocations, not for those of a process",
			       option)
		      : 0;
}

/* The kernel's allocations are traced: what is for processes alone. */
static error_t refuse_of_processes(const struct argp_state *state)
{
	const struct parsed *parsed = state->input;
	const struct options *options = &parsed->options;
	const char *option = options->max_overhead	  ? "--max-overhead"
			     : options->object		  ? "--obj"
			     : options->symbols_prefix[0] ? "--symbols-prefix"
			     : options->follow_forks	  ? "--follow-forks"
			     : parsed->have_mode	  ? "--dwunw-mode"
							  : NULL;

	return option ? refuse(state, EXIT_FAILURE, "%s is for processes: give --pid or --command",
			       option)
		      : 0;
}

static error_t finish(const struct argp_state *state, struct options *options)
{
	error_t err;

	if (options->n_pids && options->command)
		return refuse(state, EXIT_FAILURE, "--pid and --command exclude each other");
	if (options->comm && options->command)
		return refuse(state, EXIT_FAILURE, "--comm and --command exclude each other");
	if (options->min_size > options->max_size)
		return refuse(state, EXIT_FAILURE, "--min-size %llu is larger than --max-size %llu",
			      (unsigned long long)options->min_size,
			      (unsigned long long)options->max_size);
	if (options->combined_only && options->sort == OPTIONS_SORT_AGE)
		return refuse(state, EXIT_FAILURE,
			      "--combined-only knows no ages: --sort=age cannot be had");
	if (options->sample_rate > 1 && options->sample_bytes)
		return refuse(state, EXIT_FAILURE,
			      "--sample-rate and --sample-bytes exclude each other");
	if (options->sample_bytes > SAMPLING_MAX_BYTES)
		return refuse(state, EX_USAGE, "--sample-bytes: more than 1G");
	if (options->combined_only &&
	    (options->sample_rate > 1 || options->sample_bytes || options->max_overhead))
		return refuse(state, EXIT_FAILURE,
			      "--combined-only and sampling exclude each other");
	if (options->tui && options->trace)
		return refuse(state, EXIT_FAILURE, "--tui and --trace exclude each other");
	if (!options->interval_s)
		options->interval_s = options->tui ? TUI_INTERVAL_S : INTERVAL_S;
	options->kernel = !options->n_pids && !options->command && !options->comm;
	err = options->kernel ? refuse_of_processes(state) : refuse_of_kernel(state, options);
	if (err)
		return err;
	if (!options->max_blocks)
		options->max_blocks = options->kernel ? KERNEL_MAX_BLOCKS : USER_MAX_BLOCKS;
	if (!options->stack_storage_size)
		options->stack_storage_size = options->kernel ? KERNEL_STACKS : USER_STACKS;
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
	static const char *const modes[] = {"off", "fallback", "force", NULL};
	static const char *const sorts[] = {"size", "count", "age", "growth", NULL};
	static const char *const walks[] = {"kernel", "user", NULL};
	struct parsed *parsed = state->input;
	struct options *options = &parsed->options;
	unsigned int choice = 0;
	error_t err;

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
		err = parse_choice(state, "--dwunw-mode", arg, modes, &choice);
		options->mode = choice;
		parsed->have_mode = true;
		return err;
	case KEY_FOLLOW:
		options->follow_forks = true;
		return 0;
	case KEY_COMM:
		return parse_text(state, "--comm", arg, &options->comm);
	case KEY_CGROUP:
		return parse_text(state, "--cgroup", arg, &options->cgroup);
	case 'S':
		return parse_text(state, "--symbols-prefix", arg, &options->symbols_prefix);
	case 'P':
		options->percpu = true;
		return 0;
	case 'F':
		options->missing_free = true;
		return 0;
	case 't':
		options->trace = true;
		return 0;
	case 'C':
		options->combined_only = true;
		return 0;
	case KEY_SORT:
		err = parse_choice(state, "--sort", arg, sorts, &choice);
		options->sort = choice;
		return err;
	case KEY_DETAILS:
		options->show_details = true;
		return 0;
	case KEY_PEAK:
		options->peak = true;
		return 0;
	case 's':
		return parse_unsigned(state, "--sample-rate", arg, UINT_MAX, &options->sample_rate);
	case KEY_SAMPLE_BYTES:
		return parse_bytes(state, "--sample-bytes", arg, 1, &options->sample_bytes);
	case KEY_MAX_OVERHEAD:
		return parse_unsigned(state, "--max-overhead", arg, 100, &options->max_overhead);
	case KEY_MAX_BLOCKS:
		return parse_unsigned(state, "--max-blocks", arg, MAX_BLOCKS, &options->max_blocks);
	case KEY_DURATION:
		return parse_unsigned(state, "--duration", arg, MAX_DURATION_S,
				      &options->duration_s);
	case KEY_STOP:
		return parse_bytes(state, "--stop-when-leaked", arg, 1, &options->stop_when_leaked);
	case KEY_FAIL:
		return parse_bytes(state, "--fail-above", arg, 0, &options->fail_above);
	case KEY_OUTPUT:
		return parse_output(state, arg, options);
	case KEY_FOLDED_COUNT:
		options->folded_count = true;
		return 0;
	case KEY_DIFF:
		return parse_text(state, "--diff", arg, &options->diff);
	case KEY_TUI:
		options->tui = true;
		return 0;
	case KEY_WALK:
		err = parse_choice(state, "--dwunw-walk", arg, walks, &choice);
		options->walk_in_user_space = choice == 1;
		return err;
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
	case KEY_NO_INLINES:
		options->no_inlines = true;
		return 0;
	case KEY_NO_LINES:
		options->no_lines = true;
		return 0;
	case KEY_NO_DEMANGLE:
		options->no_demangle = true;
		return 0;
	case KEY_SHORT_NAMES:
		options->short_names = true;
		return 0;
	case KEY_SOURCE_PREFIX:
		return parse_prefix(state, arg, options);
	case KEY_DEBUG_DIR:
		return parse_text(state, "--debug-dir", arg, &options->debug_dir);
	case KEY_DEBUGINFOD:
		return parse_text(state, "--debuginfod", arg, &options->debuginfod);
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
		return finish(state, options);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int options_parse(int argc, char **argv, struct options *ret)
{
	static const struct argp argp = {options_table, parse_option, "[INTERVAL [INTERVALS]]",
					 options_doc,	NULL,	      NULL,
					 NULL};
	struct parsed parsed = {
		.options =
			{
				.older_ms = 500,
				.top_stacks = 10,
				.max_size = UINT64_MAX,
				.symbols_prefix = "",
				.sample_rate = 1,
				.stop_when_leaked = UINT64_MAX,
				.fail_above = UINT64_MAX,
				.mode = OPTIONS_MODE_FALLBACK,
				.slice_kib = 16,
				.share_percent = 2,
				.max_stack_depth = 127,
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
