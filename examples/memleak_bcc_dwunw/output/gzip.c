/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/gzip.h"

#include <errno.h>
#include <limits.h>
#include <zlib.h>

int gzip_write(FILE *out, const uint8_t *bytes, size_t n)
{
	z_stream stream = {};
	uint8_t packed[16384];
	int status = Z_OK;

	/* 16 more than the window's bits: with gzip's header and trailer */
	if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, 8,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	stream.next_in = (Bytef *)bytes;
	while (status == Z_OK) {
		size_t left = (size_t)(bytes + n - stream.next_in);

		stream.avail_in = left > UINT_MAX ? UINT_MAX : (uInt)left;
		stream.next_out = packed;
		stream.avail_out = sizeof(packed);
		status = deflate(&stream, stream.avail_in == left ? Z_FINISH : Z_NO_FLUSH);
		fwrite(packed, 1, sizeof(packed) - stream.avail_out, out);
	}
	deflateEnd(&stream);
	return status == Z_STREAM_END ? 0 : -ENOMEM;
}
