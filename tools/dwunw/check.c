/* SPDX-License-Identifier: BSD-2-Clause */
/* dwunw check -- COMMAND: compares the stack with the true one at every instruction. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "arch/arch.h"
#include "check.h"
#include "commands.h"
#include "unwind/memory.h"
#include "unwind/rule_cache.h"

static const char doc[] =
	"Runs a command one instruction at a time, keeps its true call stack from its calls and "
	"returns, and compares it with the unwound one at every instruction.\v"
	"The report goes to standard error. Exit status: 0; 1 if there is a difference or the "
	"command could not be run.";

static const struct argp_option options[] = {
	{"every", 'n', "N", 0, "Compare stacks of any depth at each Nth instruction (default: 64)",
	 0},
	{"depth", 'd', "N", 0, "Compare N frames at the others (default: 64)", 0},
	{"limit", 'l', "N", 0, "End the command after N instructions", 0},
	{"show", 's', "N", 0, "Print the first N differences (default: 10)", 0},
	{"wrong-cfi", 'w', "FILE", 0,
	 "Count differences apart at functions whose CFI is known to be wrong: lines `MODULE "
	 "FUNCTION REASON'",
	 0},
	{"output", 'o', "FILE", 0, "Write the report there", 0},
	{0},
};

struct arguments {
	struct check_options options;
	const char *output, *wrong_cfi;
	char **command;
};

static uint64_t parse_number(const char *text, uint64_t smallest, uint64_t largest,
			     struct argp_state *state)
{
	char *end;
	uint64_t value = strtoull(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || value < smallest || value > largest)
		argp_error(state, "not a number from %" PRIu64 " to %" PRIu64 ": %s", smallest,
			   largest, text);
	return value;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 'n':
		arguments->options.every = parse_number(arg, 1, UINT32_MAX, state);
		return 0;
	case 'd':
		arguments->options.depth = parse_number(arg, 2, UINT32_MAX, state);
		return 0;
	case 'l':
		arguments->options.limit = parse_number(arg, 1, UINT64_MAX, state);
		return 0;
	case 's':
		arguments->options.show = parse_number(arg, 0, UINT32_MAX, state);
		return 0;
	case 'w':
		arguments->wrong_cfi = arg;
		return 0;
	case 'o':
		arguments->output = arg;
		return 0;
	case ARGP_KEY_ARGS:
		arguments->command = state->argv + state->next;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "COMMAND is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void print_command_end(const struct check *check)
{
	int status = check->exit_status;

	if (check->options.limit && check->counts.instructions >= check->options.limit)
		fprintf(check->out, "the command was ended by the limit\n");
	else if (WIFSIGNALED(status))
		fprintf(check->out, "the command was killed by signal %d\n", WTERMSIG(status));
	else
		fprintf(check->out, "the command exited with status %d\n", WEXITSTATUS(status));
}

static void report(struct check *check)
{
	const struct check_counts *counts = &check->counts;

	check_print_places(check);
	print_command_end(check);
	fprintf(check->out,
		"%" PRIu64 " instructions, %" PRIu64 " threads, %" PRIu64 " programs, %" PRIu64
		" signals handled, %" PRIu64 " frames left by jumps\n",
		counts->instructions, counts->threads, counts->programs, counts->signals,
		counts->jumps);
	fprintf(check->out,
		"%" PRIu64 " stacks compared, %" PRIu64 " of them whole, %" PRIu64
		" by dwunw_capture(); %" PRIu64 " frames equal; deepest stack %zu frames\n",
		counts->comparisons, counts->whole, counts->captures, counts->frames,
		counts->deepest);
	fprintf(check->out,
		"%" PRIu64 " stacks were those of a jump's target ahead of it, %" PRIu64
		" had an overwritten return address\n",
		counts->ahead, counts->overwritten);
	fprintf(check->out,
		"%" PRIu64 " differences, %" PRIu64 " without CFI, %" PRIu64
		" where CFI is wrong\n",
		counts->differences, counts->no_cfi, counts->wrong_cfi);
}

static int prepare(struct check *check)
{
	int err = decoder_create(arch_native(), &check->decoder);

	if (err)
		return err;
	err = dwunw_context_create(NULL, &check->context);
	if (err)
		return err;
	check->rules = calloc(1, sizeof(*check->rules));
	if (!check->rules)
		return -ENOMEM;
	return memory_create(&check->memory);
}

static void release(struct check *check)
{
	check_free_places(check);
	memory_destroy(check->memory);
	free(check->rules);
	free(check->frames);
	dwunw_context_destroy(check->context);
	decoder_destroy(check->decoder);
	free(check);
}

/* The whole file as a string; NULL: it could not be read. */
static char *read_text(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (!file)
		return NULL;
	if (getdelim(&text, &size, '\0', file) < 0) {
		free(text);
		text = ferror(file) ? NULL : strdup("");
	}
	fclose(file);
	return text;
}

static int run(const char *name, const struct arguments *arguments, FILE *out)
{
	struct check *check = calloc(1, sizeof(*check));
	int err, status = STATUS_FAILED;

	if (!check)
		return STATUS_FAILED;
	check->options = arguments->options;
	check->out = out;
	err = prepare(check);
	if (!err)
		err = check_trace(check, arguments->command);
	if (err)
		fprintf(stderr, "%s: %s: %s\n", name, arguments->command[0], strerror(-err));
	if (check->counts.instructions) {
		report(check);
		status = err || check->counts.differences ? STATUS_FAILED : 0;
	}
	release(check);
	return status;
}

int command_check(int argc, char **argv)
{
	const struct argp argp = {
		.options = options, .parser = parse, .args_doc = "-- COMMAND...", .doc = doc};
	struct arguments arguments = {.options = {.every = 64, .depth = 64, .show = 10}};
	FILE *out = stderr;
	char *wrong_cfi = NULL;
	int status;

	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &arguments);
	if (arguments.wrong_cfi) {
		wrong_cfi = read_text(arguments.wrong_cfi);
		if (!wrong_cfi) {
			fprintf(stderr, "%s: %s: %s\n", argv[0], arguments.wrong_cfi,
				strerror(errno));
			return STATUS_FAILED;
		}
		arguments.options.wrong_cfi = wrong_cfi;
	}
	if (arguments.output)
		out = fopen(arguments.output, "we");
	if (!out) {
		fprintf(stderr, "%s: %s: %s\n", argv[0], arguments.output, strerror(errno));
		free(wrong_cfi);
		return STATUS_FAILED;
	}
	status = run(argv[0], &arguments, out);
	free(wrong_cfi);
	if (fflush(out) || ferror(out))
		status = STATUS_FAILED;
	if (out != stderr)
		fclose(out);
	return status;
}
