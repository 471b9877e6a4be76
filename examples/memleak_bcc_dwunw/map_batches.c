/* SPDX-License-Identifier: BSD-2-Clause */
#include "map_batches.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include <bpf/bpf.h>

#define FIRST_SIZE 4096

struct batch {
	size_t key_size, value_size;
	void *keys, *values;
	uint32_t size, n;
	uint32_t position; /* the kernel's, of a hash map: a bucket */
	bool begun, last;
};

static int make_room(struct batch *batch, uint32_t size)
{
	free(batch->keys);
	free(batch->values);
	batch->size = size;
	batch->keys = calloc(size, batch->key_size);
	batch->values = calloc(size, batch->value_size);
	return batch->keys && batch->values ? 0 : -ENOMEM;
}

static int read_batch(int fd, struct batch *batch)
{
	int err;

	do {
		batch->n = batch->size;
		err = bpf_map_lookup_batch(fd, batch->begun ? &batch->position : NULL,
					   &batch->position, batch->keys, batch->values, &batch->n,
					   NULL);
		if (err != -ENOSPC)
			break;
		err = make_room(batch, 2 * batch->size); /* a bucket with more entries than that */
	} while (!err);
	batch->begun = true;
	batch->last = err == -ENOENT;
	return batch->last ? 0 : err;
}

int map_read_batches(int fd, size_t key_size, size_t value_size, map_batch_fn each, void *context)
{
	struct batch batch = {.key_size = key_size, .value_size = value_size};
	int err = make_room(&batch, FIRST_SIZE);

	while (!err && !batch.last) {
		err = read_batch(fd, &batch);
		if (!err)
			err = each(context, batch.keys, batch.values, batch.n);
	}
	free(batch.keys);
	free(batch.values);
	return err;
}
