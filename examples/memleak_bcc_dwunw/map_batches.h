/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MAP_BATCHES_H
#define MAP_BATCHES_H

#include <stddef.h>
#include <stdint.h>

/* `n` entries of the map; not 0 ends the reading. */
typedef int (*map_batch_fn)(void *context, const void *keys, const void *values, uint32_t n);

/*
 * Reads a BPF hash map, with one system call for some thousand entries, while others change it: an entry that is there all the time is
 * seen once. 0, what `each` returned, or a negative errno.
 */
int map_read_batches(int fd, size_t key_size, size_t value_size, map_batch_fn each, void *context);

#endif
