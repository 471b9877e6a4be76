/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PROCESS_VDSO_H
#define PROCESS_VDSO_H

#include <sys/types.h>

struct mapping;

/* Copy of the vDSO mapped at `mapping`, end - start bytes; free() it. */
int vdso_read(pid_t pid, const struct mapping *mapping, void **image);

#endif
