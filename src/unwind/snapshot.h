/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory of a snapshot. */
#ifndef UNWIND_SNAPSHOT_H
#define UNWIND_SNAPSHOT_H

#include <stdint.h>

struct unwind_snapshot;

/* `size` (1..8) bytes at `addr`, zero-extended; -EFAULT where the snapshot does not have them. */
int snapshot_read(const struct unwind_snapshot *snapshot, uint64_t addr, unsigned int size,
		  uint64_t *ret);

#endif
