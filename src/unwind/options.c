/* SPDX-License-Identifier: BSD-2-Clause */
#include "unwind/options.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#define MAX_SIZE 4096 /* no struct will be as large: what says so was not initialized */

int options_take(void *known, size_t size, const void *given)
{
	const uint8_t *bytes = given;
	size_t given_size;

	memcpy(&given_size, given, sizeof(given_size));
	if (given_size < sizeof(given_size) || given_size > MAX_SIZE)
		return -EINVAL;
	for (size_t i = size; i < given_size; i++)
		if (bytes[i])
			return -EINVAL;
	memcpy(known, given, given_size < size ? given_size : size);
	return 0;
}
