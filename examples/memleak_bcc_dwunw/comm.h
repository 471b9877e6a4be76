/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef COMM_H
#define COMM_H

#include <sys/types.h>

/*
 * Adds the processes whose name (/proc/PID/comm) is `name` to pids[*n...], but not those that are there already, nor this
 * process. The kernel keeps 15 bytes of a name: more of `name` are not compared. -ESRCH: no process has it; -E2BIG: there would be more than `max`.
 */
int comm_find(const char *name, pid_t *pids, unsigned int *n, unsigned int max);

#define COMM_SIZE 16

/* The name of a process, with a NUL; of one that has ended *ret stays. */
void comm_read(pid_t pid, char ret[COMM_SIZE]);

#endif
