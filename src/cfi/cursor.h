/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bounded cursor over untrusted bytes. A read past the end gives 0, moves the cursor to the end
 * and sets `failed`, which stays set: a parser reads a whole record and looks once.
 */
#ifndef CFI_CURSOR_H
#define CFI_CURSOR_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cursor {
	const uint8_t *pos, *end;
	bool little_endian;
	bool failed;
};

static inline struct cursor cursor_make(const uint8_t *data, size_t size, bool little_endian)
{
	struct cursor c;

	c.pos = data;
	/* An empty range may come without data; adding 0 to NULL is undefined. */
	c.end = size ? data + size : data;
	c.little_endian = little_endian;
	c.failed = false;
	return c;
}

static inline size_t cursor_left(const struct cursor *c)
{
	return (size_t)(c->end - c->pos);
}

/* The next `size` bytes as they are, or NULL. */
static inline const uint8_t *cursor_take(struct cursor *c, uint64_t size)
{
	const uint8_t *bytes = c->pos;

	if (size > cursor_left(c)) {
		c->pos = c->end;
		c->failed = true;
		return NULL;
	}
	if (size)
		c->pos += size;
	return bytes;
}

static inline uint8_t cursor_u8(struct cursor *c)
{
	if (c->pos == c->end) {
		c->failed = true;
		return 0;
	}
	return *c->pos++;
}

/* An unsigned number of `size` (1..8) bytes in the cursor's byte order. */
static inline uint64_t cursor_uint(struct cursor *c, unsigned int size)
{
	const uint8_t *bytes = cursor_take(c, size);
	uint64_t value = 0;

	if (!bytes)
		return 0;
	if (c->little_endian) {
		memcpy(&value, bytes, size);
		return le64toh(value);
	}
	memcpy((uint8_t *)&value + sizeof(value) - size, bytes, size);
	return be64toh(value);
}

/* The same, sign-extended. */
static inline int64_t cursor_sint(struct cursor *c, unsigned int size)
{
	unsigned int unused = 64 - 8 * size;

	return (int64_t)(cursor_uint(c, size) << unused) >> unused;
}

uint64_t cursor_uleb_long(struct cursor *c);
int64_t cursor_sleb(struct cursor *c);

/* LEB128 (DWARF 5 section 7.6). Padding is accepted, a value of more than 64 bits is not. */
static inline uint64_t cursor_uleb(struct cursor *c)
{
	if (c->pos != c->end && !(*c->pos & 0x80))
		return *c->pos++;
	return cursor_uleb_long(c);
}

/* A string with its terminator inside the range, or NULL. */
const char *cursor_string(struct cursor *c);

#endif
