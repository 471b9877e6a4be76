/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PROCESS_VDSO_H
#define PROCESS_VDSO_H

#include <sys/types.h>

struct mapping;

/* Copy of the vDSO mapped at `mapping`, end - start bytes; free() it. */
int vdso_read(pid_t pid, const struct mapping *mapping, void **image);

/*
 * This process's vDSO, if it is `size` bytes long; free() it. One kernel has few (one an ABI): of equal size, it is the one that is
 * meant. -ENOENT: it is not.
 */
int vdso_read_own(size_t size, void **image);

#endif
