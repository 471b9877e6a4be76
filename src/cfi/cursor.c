/* SPDX-License-Identifier: BSD-2-Clause */
#include "cfi/cursor.h"

uint64_t cursor_uleb_long(struct cursor *c)
{
	uint64_t value = 0;
	unsigned int shift = 0;
	uint8_t byte;

	do {
		byte = cursor_u8(c);
		uint64_t bits = byte & 0x7f;

		if (shift < 64)
			value |= bits << shift;
		if (bits && (shift > 63 || bits << shift >> shift != bits))
			c->failed = true;
		/* Stay clear of overflow however long the padding is. */
		if (shift < 64)
			shift += 7;
	} while (byte & 0x80);
	return value;
}

int64_t cursor_sleb(struct cursor *c)
{
	uint64_t value = 0;
	unsigned int shift = 0;
	uint8_t byte;

	do {
		byte = cursor_u8(c);
		uint64_t bits = byte & 0x7f;

		if (shift < 63) {
			value |= bits << shift;
		} else {
			/* Bit 63 is the sign; what follows only repeats it. */
			if (shift == 63)
				value |= bits << 63;
			if (bits != (value >> 63 ? 0x7f : 0))
				c->failed = true;
		}
		if (shift < 64)
			shift += 7;
	} while (byte & 0x80);
	if (shift < 64 && byte & 0x40)
		value |= ~0ULL << shift;
	return (int64_t)value;
}

const char *cursor_string(struct cursor *c)
{
	size_t left = cursor_left(c);
	const uint8_t *string = c->pos;
	const uint8_t *end = left ? memchr(string, 0, left) : NULL;

	if (!end) {
		c->failed = true;
		c->pos = c->end;
		return NULL;
	}
	c->pos = end + 1;
	return (const char *)string;
}
