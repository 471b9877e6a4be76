/* SPDX-License-Identifier: BSD-2-Clause */
/* Ways in which a program can unwind its own stack. */
#ifndef BENCH_SELF_H
#define BENCH_SELF_H

#include <stddef.h>

#define MAX_FRAMES 256

struct self_method {
	const char *name;
	size_t (*unwind)(void); /* number of frames */
};

const struct self_method *self_method(const char *name);

#endif
