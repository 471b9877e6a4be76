/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DWUNW_THREADS_H
#define DWUNW_THREADS_H

#include <stddef.h>
#include <sys/types.h>

/* The thread ids of a process, ascending; free() them. -ESRCH: no such process. */
int threads_list(pid_t pid, pid_t **ret, size_t *n);

#endif
