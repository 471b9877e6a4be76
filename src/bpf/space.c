/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/space.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <dwunw/bpf_format.h>

#include "table/table.h"

#define ALIGNMENT 128 /* of whole tables and of rules */

struct space {
	int fd;
	uint64_t used; /* next free address */
	uint8_t *shards[DWUNW_MAX_SHARDS];
};

int space_create(int shards_fd, struct space **ret)
{
	struct space *space = calloc(1, sizeof(*space));

	if (!space)
		return -ENOMEM;
	space->fd = shards_fd;
	space->used = ALIGNMENT; /* address 0 means "not loaded" */
	*ret = space;
	return 0;
}

void space_destroy(struct space *space)
{
	if (!space)
		return;
	for (size_t i = 0; i < DWUNW_MAX_SHARDS; i++) {
		if (space->shards[i])
			munmap(space->shards[i], DWUNW_SHARD_SIZE);
	}
	free(space);
}

uint64_t space_used(const struct space *space)
{
	return space->used;
}

static int add_shard(struct space *space, uint32_t index)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	int fd, err = 0;
	void *data;

	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "dwunw_shard", sizeof(__u32), DWUNW_SHARD_SIZE, 1,
			    &opts);
	if (fd < 0)
		return fd;
	data = mmap(NULL, DWUNW_SHARD_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED) {
		err = -errno;
	} else if (bpf_map_update_elem(space->fd, &index, &fd, BPF_ANY)) {
		err = -errno;
		munmap(data, DWUNW_SHARD_SIZE);
	} else {
		space->shards[index] = data;
	}
	close(fd);
	return err;
}

/* Shards for addresses up to `end`. */
static int reserve(struct space *space, uint64_t end)
{
	uint64_t last = (end - 1) >> DWUNW_SHARD_SHIFT;

	if (last >= DWUNW_MAX_SHARDS)
		return -ENOSPC;
	for (uint64_t i = (space->used - 1) >> DWUNW_SHARD_SHIFT; i <= last; i++) {
		int err = space->shards[i] ? 0 : add_shard(space, (uint32_t)i);

		if (err)
			return err;
	}
	return 0;
}

static void put(struct space *space, uint64_t address, const void *data, size_t size)
{
	const uint8_t *from = data;

	while (size) {
		size_t off = address & DWUNW_SHARD_MASK;
		size_t n = DWUNW_SHARD_SIZE - off;

		if (n > size)
			n = size;
		memcpy(space->shards[address >> DWUNW_SHARD_SHIFT] + off, from, n);
		address += n;
		from += n;
		size -= n;
	}
}

/* Where the rows of a page go if everything before `at` is taken: whole in one shard. */
static uint64_t place_rows(uint64_t at, uint64_t size)
{
	uint64_t room = DWUNW_SHARD_SIZE - (at & DWUNW_SHARD_MASK);

	return size > room ? at + room : at;
}

static uint64_t align(uint64_t at)
{
	return (at + ALIGNMENT - 1) & ~(uint64_t)(ALIGNMENT - 1);
}

int space_add(struct space *space, const struct table *table, uint32_t *address)
{
	const struct dwunw_table_header *header = table->header;
	const uint8_t *image = (const uint8_t *)header;
	const struct dwunw_table_page *pages = (const void *)(image + header->pages);
	uint64_t base = space->used, rules = align(base + sizeof(struct dwunw_space_table));
	uint64_t directory = rules + (uint64_t)header->n_rules * sizeof(struct dwunw_rule);
	uint64_t rows = directory + (uint64_t)header->n_pages * sizeof(*pages), at = rows;
	struct dwunw_space_table placed = {
		.first_page = header->first_page,
		.n_pages = header->n_pages,
		.pages = (uint32_t)directory,
		.rules = (uint32_t)rules,
	};
	int err;

	for (uint32_t i = 0; i < header->n_pages; i++)
		at = place_rows(at, 4ULL * pages[i].n_rows) + 4ULL * pages[i].n_rows;
	err = reserve(space, at);
	if (err)
		return err;
	put(space, base, &placed, sizeof(placed));
	put(space, rules, image + header->rules, header->n_rules * sizeof(struct dwunw_rule));
	at = rows;
	for (uint32_t i = 0; i < header->n_pages; i++) {
		struct dwunw_table_page page = {.n_rows = pages[i].n_rows};

		at = place_rows(at, 4ULL * page.n_rows);
		page.rows = (uint32_t)at;
		put(space, at, image + pages[i].rows, 4ULL * page.n_rows);
		put(space, directory + i * sizeof(page), &page, sizeof(page));
		at += 4ULL * page.n_rows;
	}
	space->used = align(at);
	*address = (uint32_t)base;
	return 0;
}
