/* SPDX-License-Identifier: BSD-2-Clause */
/* Structs of the public header that are led by their size, as callers of older and newer headers give them. */
#ifndef UNWIND_OPTIONS_H
#define UNWIND_OPTIONS_H

#include <stddef.h>

/*
 * Copies `given` to `known`, of `size` bytes, whose fields past the caller's size stay as they are. -EINVAL: no size, or fields that
 * are not known here are not zero.
 */
int options_take(void *known, size_t size, const void *given);

/*
 * The other way round: a result `known` of `size` bytes to the caller's `given`, led by its size, which stays. Fields that are not known
 * here become zero. -EINVAL: no size.
 */
int options_give(const void *known, size_t size, void *given);

#endif
