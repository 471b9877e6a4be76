/* SPDX-License-Identifier: BSD-2-Clause */
#include "unwind/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define PIECE_SIZE                                                                                 \
	4096 /* divides the page size of every machine: a piece is readable as a whole or not at all */
#define N_PIECES 16

struct piece {
	bool valid;
	uint64_t addr;
	uint8_t bytes[PIECE_SIZE];
};

struct memory {
	pid_t tid;
	int fd; /* of /proc/PID/mem; -1: not needed so far */
	struct piece pieces[N_PIECES];
};

int memory_create(struct memory **ret)
{
	struct memory *memory = calloc(1, sizeof(*memory));

	if (!memory)
		return -ENOMEM;
	memory->fd = -1;
	*ret = memory;
	return 0;
}

void memory_destroy(struct memory *memory)
{
	if (!memory)
		return;
	memory_end(memory);
	free(memory);
}

void memory_begin(struct memory *memory, pid_t tid)
{
	memory_end(memory);
	memory->tid = tid;
}

void memory_end(struct memory *memory)
{
	if (memory->fd >= 0)
		close(memory->fd);
	memory->fd = -1;
	for (size_t i = 0; i < N_PIECES; i++)
		memory->pieces[i].valid = false;
}

static int read_by_file(struct memory *memory, uint64_t addr, void *buf)
{
	ssize_t n;

	if (memory->fd < 0) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/%d/mem", (int)memory->tid);
		memory->fd = open(path, O_RDONLY | O_CLOEXEC);
		if (memory->fd < 0)
			return errno == ENOENT ? -ESRCH : -errno;
	}
	n = pread(memory->fd, buf, PIECE_SIZE, (off_t)addr);
	if (n == PIECE_SIZE)
		return 0;
	/* The file says EIO for an address that is not mapped, and is empty when the process has ended. */
	return n == 0 ? -ESRCH : -EFAULT;
}

static int read_piece(struct memory *memory, uint64_t addr, void *buf)
{
	struct iovec local = {buf, PIECE_SIZE}, remote = {(void *)(uintptr_t)addr, PIECE_SIZE};

	if (process_vm_readv(memory->tid, &local, 1, &remote, 1, 0) == PIECE_SIZE)
		return 0;
	return errno == ESRCH ? -ESRCH : read_by_file(memory, addr, buf);
}

int memory_read(void *arg, uint64_t addr, void *buf, size_t size)
{
	struct memory *memory = arg;
	uint8_t *to = buf;

	while (size > 0) {
		uint64_t off = addr % PIECE_SIZE, start = addr - off;
		size_t n = size < PIECE_SIZE - off ? size : PIECE_SIZE - off;
		struct piece *piece = &memory->pieces[start / PIECE_SIZE % N_PIECES];

		if (!piece->valid || piece->addr != start) {
			int err;

			piece->valid = false;
			err = read_piece(memory, start, piece->bytes);
			if (err)
				return err;
			piece->valid = true;
			piece->addr = start;
		}
		memcpy(to, piece->bytes + off, n);
		to += n;
		addr += n;
		size -= n;
	}
	return 0;
}
