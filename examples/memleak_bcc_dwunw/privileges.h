/* SPDX-License-Identifier: BSD-2-Clause */
/* Says what is missing when the kernel refuses: a capability. */
#ifndef PRIVILEGES_H
#define PRIVILEGES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PRIVILEGES_TEXT 128 /* bytes that every list of missing capabilities fits into */

/*
 * Puts every capability that this process is permitted into effect. A program file that carries capabilities without the effective bit
 * can be started where some of them are out of bounds (containers), and can then say which; with that bit execve(2)
 * fails.
 */
void privileges_raise(void);

/*
 * Back to what was in effect before the first privileges_raise(), for this thread, until the next: for files that the user names, which the
 * program must not read or find for one who could not do so without it.
 */
void privileges_lower(void);

/*
 * The capabilities that loading and attaching need and this process lacks, as "CAP_BPF, CAP_PERFMON"; empty: none.
 * CAP_SYS_ADMIN stands for both. At most `size` bytes.
 */
void privileges_missing_for_bpf(char *ret, size_t size);

/* The same for attaching probes: without uprobe_multi (`multi` of it) they are perf events, which take CAP_SYS_ADMIN. */
void privileges_missing_to_attach(bool multi, char *ret, size_t size);

/* The same for reading another user's process: CAP_SYS_PTRACE. */
void privileges_missing_for_process(char *ret, size_t size);

/* The same for addresses of the kernel's functions: CAP_SYSLOG. */
void privileges_missing_for_kernel_symbols(char *ret, size_t size);

/*
 * The same for opening a file that the process maps. `deleted`: it has no name any more, or another file has it. CAP_CHECKPOINT_RESTORE
 * opens it all the same.
 */
void privileges_missing_for_file(pid_t pid, bool deleted, char *ret, size_t size);

#endif
