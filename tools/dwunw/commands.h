/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands of dwunw: each parses its own arguments, argv[0] being its full name, and returns the exit status. */
#ifndef DWUNW_COMMANDS_H
#define DWUNW_COMMANDS_H

/* Exit statuses, beside 0. */
#define STATUS_FAILED 1 /* something could not be done or is not complete */
#define STATUS_USAGE 2	/* the command line makes no sense */

int command_stack(int argc, char **argv);
int command_cfi(int argc, char **argv);
int command_table(int argc, char **argv);
int command_check(int argc, char **argv);

#endif
