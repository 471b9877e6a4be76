/* SPDX-License-Identifier: BSD-2-Clause */
/* Text of /proc/PID/maps -> struct mapping without modules. Format: proc(5), "/proc/pid/maps". */
#ifndef PROCESS_MAPS_H
#define PROCESS_MAPS_H

#include <stddef.h>
#include <sys/types.h>

struct mapping;

#define MAPS_DELETED                                                                               \
	" (deleted)" /* the kernel's word behind the path of a file that has none any more */

/* -ESRCH: no such process, or one without memory of its own (zombie, kernel thread). */
int maps_read(pid_t pid, struct mapping **mappings, size_t *n);

/* `text` is changed. A line that cannot be understood is -EBADMSG. */
int maps_parse(char *text, struct mapping **mappings, size_t *n);

/* Frees the paths as well; modules must have been put. */
void maps_free(struct mapping *mappings, size_t n);

#endif
