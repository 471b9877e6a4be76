/* SPDX-License-Identifier: BSD-2-Clause */
/* dwunw COMMAND: the library at the command line. See man/dwunw.1. */
#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
};

static const struct command commands[] = {
	{"stack", command_stack},
	{"cfi", command_cfi},
	{"table", command_table},
	{"check", command_check},
};

static const char doc[] =
	"Stacks and the call frame information that they are found by.\v"
	"Commands:\n"
	"  stack PID          the stack of each thread of a process\n"
	"  cfi FILE           every row of call frame information of an ELF file\n"
	"  table FILE         size and contents of the unwind table made of an ELF file\n"
	"  check -- COMMAND   the stack of a command, compared with the true one at each "
	"instruction\n"
	"\n"
	"`dwunw COMMAND --help' shows the options of a command.\n"
	"Exit status: 0; 1 if something failed or is not complete; 2 for a command line that makes "
	"no sense.";

struct choice {
	const struct command *command;
	int first; /* index in argv of the command's name */
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct choice *choice = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
			if (strcmp(arg, commands[i].name) == 0)
				choice->command = &commands[i];
		if (!choice->command)
			argp_error(state, "no such command: %s", arg);
		choice->first = state->next - 1;
		state->next = state->argc; /* the rest is the command's */
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "a command is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int main(int argc, char **argv)
{
	const struct argp argp = {.parser = parse, .args_doc = "COMMAND [ARGUMENT...]", .doc = doc};
	struct choice choice = {0};
	char name[32];

	argp_err_exit_status = STATUS_USAGE;
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &choice);
	snprintf(name, sizeof(name), "dwunw %s", choice.command->name);
	argv[choice.first] = name;
	return choice.command->run(argc - choice.first, argv + choice.first);
}
