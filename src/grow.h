/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef GROW_H
#define GROW_H

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

/* Makes room for one more element behind `used` of them: *array has room for *size. -ENOMEM: it is as it was. */
static inline int grow(void **array, size_t *size, size_t used, size_t element)
{
	size_t larger = *size ? 2 * *size : 16;
	void *moved;

	if (used < *size)
		return 0;
	moved = reallocarray(*array, larger, element);
	if (!moved)
		return -ENOMEM;
	*array = moved;
	*size = larger;
	return 0;
}

#endif
