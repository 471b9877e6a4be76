/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolize/mini_debug.h"

#include <errno.h>
#include <lzma.h>
#include <stdlib.h>

#include "elf/elf_file.h"

/* A large program's is 2 MiB; one byte of xz can stand for thousands. */
#define MAX_SIZE (64u << 20)

static int unpack(const struct elf_section *packed, uint8_t **image, size_t *size)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	size_t room = 4 * packed->size + 4096;
	uint8_t *bytes = NULL, *more;
	lzma_ret state = lzma_stream_decoder(&stream, MAX_SIZE, 0);

	stream.next_in = packed->data;
	stream.avail_in = packed->size;
	while (state == LZMA_OK) {
		if (room > MAX_SIZE)
			room = MAX_SIZE;
		more = stream.total_out < room ? realloc(bytes, room) : NULL;
		if (!more)
			break;
		bytes = more;
		stream.next_out = bytes + stream.total_out;
		stream.avail_out = room - stream.total_out;
		state = lzma_code(&stream, LZMA_FINISH);
		room *= 2;
	}
	*size = stream.total_out;
	lzma_end(&stream);
	if (state == LZMA_STREAM_END) {
		*image = bytes;
		return 0;
	}
	free(bytes);
	if (state == LZMA_OK)
		return room >= MAX_SIZE ? -EFBIG : -ENOMEM;
	return state == LZMA_MEMLIMIT_ERROR ? -EFBIG : state == LZMA_MEM_ERROR ? -ENOMEM : -ENOEXEC;
}

int mini_debug_open(struct elf_file *file, struct elf_file **ret)
{
	struct elf_section packed;
	uint8_t *image;
	size_t size;
	int err = elf_file_section(file, ".gnu_debugdata", &packed);

	if (!err)
		err = packed.size <= MAX_SIZE ? unpack(&packed, &image, &size) : -EFBIG;
	if (err)
		return err;
	err = elf_file_open_memory(image, size, ret);
	free(image);
	return err;
}
