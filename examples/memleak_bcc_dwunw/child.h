/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command of -c: started stopped, shown to the caller after each system call while its dynamic
 * linker maps libraries, so that probes are in place before its first allocation, then let go.
 */
#ifndef CHILD_H
#define CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#define CHILD_INHERITS (-1)

struct child {
	pid_t pid;
	bool traced;  /* until child_release() */
	long syscall; /* number of the one that the last child_step() ended after */
	bool reaped;
	int status; /* of waitpid(), once reaped */
};

/*
 * Splits `command` into words (words.h), looks the first up in PATH, starts it under ptrace and
 * leaves it stopped after execve(). It has no signals blocked and no files open but 0 to 2: those of
 * the caller, or, unless `output` is CHILD_INHERITS, /dev/null and this descriptor twice. Until
 * it is released it dies with the calling thread, which must also be the one that makes the other
 * calls; from then on it gets SIGTERM when that thread ends (not so a set-user-ID program).
 * -ENOENT, -EACCES, ...: why it could not be run; -EINVAL: `command` cannot be split.
 */
int child_start(const char *command, int output, struct child *ret);
/*
 * Runs it on to the end of its next system call. 0: stopped there; 1: it ended (reaped); or a
 * negative errno: -EINTR where a signal for the caller came first (call again, or release, or end
 * it). Signals meant for it are delivered.
 */
int child_step(struct child *child);
/*
 * Traces again a released child that SIGSTOP stops, or is about to, before an instruction of its own: it goes on with child_step().
 * Waits for the stop. Returns as child_step().
 */
int child_catch(struct child *child);
/* Lets it run free (PTRACE_DETACH). */
int child_release(struct child *child);
/* Reaps it if it has ended; true once it has. Never blocks. */
bool child_has_ended(struct child *child);
/* Ends it (SIGTERM, then SIGKILL after one second) and reaps it, where it still runs. */
void child_end(struct child *child);

#endif
