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

#define MAX_OLDER_MS (UINT64_MAX / 1000000)
#define MAX_DURATION_S (INT_MAX / 1000)

/* Options without a letter. */
enum {
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
	KEY_WALK,
	KEY_SLICE,
	KEY_SHARE,
	KEY_USAGE
};

static const char doc[] =
	"Shows which stacks hold memory that a process has allocated and not freed.\n"
	"\n"
	"Every INTERVAL seconds (default: 5), INTERVALS times (default: until Ctrl-C or the end of "
	"the "
	"process), the stacks with the most outstanding bytes are printed. They reach the root of "
	"their thread also where the program was built without frame pointers. Without -p, -c and "
	"--comm, the kernel's own allocations are traced."
	"\v"
	"Examples:\n"
	"  memleak_dwunw_user -p 1234           a report every 5 seconds\n"
	"  memleak_dwunw_user -p 1234 -a 10 3   three reports that list each block\n"
	"  memleak_dwunw_user -p 1234 -o 60000  only blocks that are a minute old\n"
	"  memleak_dwunw_user -c 'ls -l /tmp'   a command, traced from its start\n"
	"\n"
	"SIGUSR1 gives a report at once.\n"
	"\n"
	"Exit status: 0; 1 for options that contradict each other, and when the process ends; 23: "
	"see "
	"--fail-above; 64 for a wrong command line; another value, and why on stderr, for "
	"everything "
	"else.";

static const struct argp_option argp_options[] = {
	{"pid", 'p', "PID[,PID...]", 0,
	 "trace this process, or these; may be repeated (default: none)", 1},
	{"command", 'c', "COMMAND", 0,
	 "run this command line, with arguments and PATH, and trace it (default: none)", 1},
	{"follow-forks", KEY_FOLLOW, NULL, 0,
	 "trace the children of these processes as well, from shortly after they begin (default: "
	 "off)",
	 1},
	{"comm", KEY_COMM, "NAME", 0,
	 "trace the processes that have this name now as well (default: none)", 1},
	{"cgroup", KEY_CGROUP, "PATH", 0,
	 "in kernel mode, only what tasks of this cgroup (version 2) and below allocate (default: "
	 "all)",
	 1},
	{"obj", 'O', "OBJECT", 0,
	 "the one object whose allocation functions are traced, a path or a soname (default: every "
	 "allocator that is found in the process)",
	 1},

	{"symbols-prefix", 'S', "PREFIX", 0,
	 "the allocation functions' names begin with this, as je_ or tc_ (default: none)", 1},
	{"percpu", 'P', NULL, 0, "in kernel mode, percpu allocations as well (default: off)", 1},
	{"wa-missing-free", 'F', NULL, 0,
	 "in kernel mode, an allocation at an address that is known counts as freed before "
	 "(default: "
	 "off)",
	 1},

	{"show-allocs", 'a', NULL, 0,
	 "list the address and size of each block under its stack (default: off)", 2},
	{"trace", 't', NULL, 0,
	 "print each allocation and each free, with its stack, as it happens (default: off)", 2},
	{"combined-only", 'C', NULL, 0,
	 "keep totals for each stack in the kernel, and no single blocks; they have no age "
	 "(default: off)",
	 2},
	{"sort", KEY_SORT, "KEY", 0,
	 "show these stacks first: size, count, age (of the oldest block), growth (in bytes since "
	 "the last report) (default: size)",
	 2},
	{"details", KEY_DETAILS, NULL, 0,
	 "a line under each stack with the ages of its blocks and its growth (default: off)", 2},
	{"peak", KEY_PEAK, NULL, 0,
	 "show at the end the report of the highest total seen (default: off)", 2},
	{"older", 'o', "AGE_MS", 0,
	 "only blocks at least this many milliseconds old (default: 500)", 2},
	{"top", 'T', "TOP_STACKS", 0, "show this many stacks, most bytes first (default: 10)", 2},
	{"min-size", 'z', "MIN_SIZE", 0,
	 "only allocations of at least this many bytes (default: 0)", 2},
	{"max-size", 'Z', "MAX_SIZE", 0,
	 "only allocations of at most this many bytes (default: no limit)", 2},

	{"sample-rate", 's', "SAMPLE_RATE", 0,
	 "one of every SAMPLE_RATE allocations of a thread; totals are estimates (default: 1)", 2},
	{"sample-bytes", KEY_SAMPLE_BYTES, "BYTES", 0,
	 "one allocation in so many bytes, at random, at most 1G; totals are estimates (default: "
	 "off)",
	 2},
	{"max-overhead", KEY_MAX_OVERHEAD, "PERCENT", 0,
	 "sample so that the probes cost the traced processes at most this share of the time of a "
	 "CPU, 1 "
	 "to 100 (default: off)",
	 2},
	{"max-blocks", KEY_MAX_BLOCKS, "BLOCKS", 0,
	 "room for this many outstanding blocks: about 100 bytes of kernel memory for each that "
	 "is in use, and 16 for each that there is room for (default: 4194304)",
	 2},
	{"duration", KEY_DURATION, "SECONDS", 0,
	 "end after this time, with a report (default: no limit)", 2},
	{"stop-when-leaked", KEY_STOP, "BYTES", 0,
	 "end, with a report, once so much is outstanding, of any age (default: no limit)", 2},
	{"fail-above", KEY_FAIL, "BYTES", 0,
	 "exit status 23 if more than this is outstanding at the end, of any age (default: no "
	 "limit)",
	 2},

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

	{"no-inlines", KEY_NO_INLINES, NULL, 0,
	 "inlined functions are no frames of their own (default: off)", 4},
	{"no-lines", KEY_NO_LINES, NULL, 0, "no source files and lines (default: off)", 4},
	{"no-demangle", KEY_NO_DEMANGLE, NULL, 0,
	 "names of functions as the linker knows them (default: off)", 4},
	{"short-names", KEY_SHORT_NAMES, NULL, 0,
	 "names of more than 80 characters without template arguments and parameters, with a "
	 "number that stands for them (default: off)",
	 4},
	{"source-prefix", KEY_SOURCE_PREFIX, "OLD=NEW", 0,
	 "show source files below OLD as below NEW; may be repeated (default: none)", 4},
	{"debug-dir", KEY_DEBUG_DIR, "PATH", 0,
	 "where separate debug files are (default: /usr/lib/debug)", 4},
	{"debuginfod", KEY_DEBUGINFOD, "URLS", 0,
	 "ask these debuginfod servers for debug files (default: DEBUGINFOD_URLS, if it is set)",
	 4},

	{"verbose", 'v', NULL, 0,
	 "say more on stderr, and show the registers of each frame (default: off)", 5},
	{"help", '?', NULL, 0, "give this help list", -1},
	{NULL, 'h', NULL, OPTION_ALIAS, NULL, -1},
	{"usage", KEY_USAGE, NULL, 0, "give a short usage message", -1},
	{"version", 'V', NULL, 0, "print program version", -1},
	{0},
};

static error_t finish(const struct argp_state *state, struct options *options)
{
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
	options->kernel = !options->n_pids && !options->command && !options->comm;
	if (options->cgroup && !options->kernel)
		return refuse(
			state, EXIT_FAILURE,
			"--cgroup is for the kernel's allocations, not for those of a process");
	if (options->kernel && options->max_overhead)
		return refuse(state, EXIT_FAILURE,
			      "--max-overhead is for processes: give --pid or --command");
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
	static const struct argp argp = {
		argp_options, parse_option, "[INTERVAL [INTERVALS]]", doc, NULL, NULL, NULL};
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
