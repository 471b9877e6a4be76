/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Table space: the kernel's copy of the tables, in shards of one large value each, which are made on demand and written
 * through a mapping. See bpf_format.h for the layout.
 */
#ifndef BPF_SPACE_H
#define BPF_SPACE_H

#include <stddef.h>
#include <stdint.h>

struct space;
struct table;

/* `shards_fd`: the map dwunw_shards; stays the caller's. */
int space_create(int shards_fd, struct space **ret);
void space_destroy(struct space *space);

/* Copies a table; *address is that of its struct dwunw_space_table. -ENOSPC: it does not fit; nothing is kept then. */
int space_add(struct space *space, const struct table *table, uint32_t *address);

/* Bytes given out. */
uint64_t space_used(const struct space *space);

#endif
