/* SPDX-License-Identifier: BSD-2-Clause */
#include "unwind/options.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#define MAX_SIZE 4096 /* no struct will be as large: what says so was not initialized */

/* 0: none */
static size_t size_of(const void *given)
{
	size_t size;

	memcpy(&size, given, sizeof(size));
	return size < sizeof(size) || size > MAX_SIZE ? 0 : size;
}

int options_take(void *known, size_t size, const void *given)
{
	const uint8_t *bytes = given;
	size_t given_size = size_of(given);

	if (!given_size)
		return -EINVAL;
	for (size_t i = size; i < given_size; i++)
		if (bytes[i])
			return -EINVAL;
	memcpy(known, given, given_size < size ? given_size : size);
	return 0;
}

int options_give(const void *known, size_t size, void *given)
{
	size_t given_size = size_of(given), n = given_size < size ? given_size : size;

	if (!given_size)
		return -EINVAL;
	memset((uint8_t *)given + n, 0, given_size - n);
	memcpy((uint8_t *)given + sizeof(given_size), (const uint8_t *)known + sizeof(given_size),
	       n - sizeof(given_size));
	return 0;
}
