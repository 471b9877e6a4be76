/* SPDX-License-Identifier: BSD-2-Clause */
/* A child that snapshots are taken of. */
#ifndef TARGET_H
#define TARGET_H

#include <stdbool.h>
#include <sys/types.h>

struct target {
	pid_t pid;
	int input; /* its standard input */
};

/* `argv`: as execvp() wants it. */
int target_start(char *const argv[], struct target *ret);
void target_end(struct target *target);

/* Lets a stopped thread run `n` instructions. False: it has ended. */
bool target_step(pid_t tid, unsigned int n);

/* Up to `max` of its threads. */
size_t target_threads(const struct target *target, pid_t *tids, size_t max);

#endif
