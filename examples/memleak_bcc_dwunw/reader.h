/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What reading the traced process takes, and the messages where that is refused. "Reader" is what gives libdwunw the
 * process's mappings and files; without it stacks are the kernel's.
 */
#ifndef READER_H
#define READER_H

#include <sys/types.h>

#include "options.h"

struct dwunw_stack; /* dwunw-added */
struct process;

/*
 * Whether the mappings of the process may be read: 0 or a negative errno. Any other trouble with the process (it has ended, say) is
 * found by who reads them.
 */
int reader_check_mappings(pid_t pid);

/* Prints the messages about what reading or loading the mappings failed with. `mode`: the one asked for. */
void reader_tell_failure(pid_t pid, enum options_mode mode, int err);

/* Whether every file with code could be opened; of each that could not, once, the messages. 0 or the first one's negative errno. */
int reader_check_files(const struct process *process, enum options_mode mode);

/* dwunw-added begin: if the stack ended at its first frame: says so, once for each file and reason. `allocator`: the file traced */
void reader_tell_first_frame(const struct process *process, const char *allocator,
			     const struct dwunw_stack *stack);
/* dwunw-added end */

#endif
