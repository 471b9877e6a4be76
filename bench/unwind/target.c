/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stack to unwind: FRAMES on it while it waits, LIBRARY mapped ("-": none) but not on the stack.
 *
 *   target FRAMES LIBRARY            prints `ready`, waits for the end of stdin
 *   target FRAMES LIBRARY METHOD     unwinds itself, prints `FRAMES FIRST-NS WARM-NS`, both of the whole stack
 *
 * METHOD: one of self.h. The way down alternates between functions with frames of different sizes, as bench/pairs does.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "self.h"

#define FRAME __attribute__((noinline))

/* Keeps a call from becoming a jump. */
#define NO_TAIL_CALL() __asm__ volatile("" ::: "memory")

/* read (or the unwinder), bottom; go_down, main, two functions of the C library's start, _start. */
enum { OTHER_FRAMES = 7 };

static const struct self_method *method; /* NULL: be unwound by others */

static void wait_for_end(void)
{
	char byte;

	printf("ready\n");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
}

static void unwind_self(void)
{
	uint64_t start = now_ns(), first;
	size_t n = method->unwind();

	first = now_ns() - start;
	printf("%zu %lu %.1f\n", n, (unsigned long)first, measure(method->unwind));
	fflush(stdout);
}

FRAME void bottom(void)
{
	if (method)
		unwind_self();
	else
		wait_for_end();
	NO_TAIL_CALL();
}

FRAME void descend_0(unsigned int depth);

#define DESCEND(name, next, bytes)                                                                 \
	FRAME void name(unsigned int depth)                                                        \
	{                                                                                          \
		volatile char locals[bytes];                                                       \
                                                                                                   \
		locals[0] = 1;                                                                     \
		if (depth > 1)                                                                     \
			next(depth - 1);                                                           \
		else                                                                               \
			bottom();                                                                  \
		locals[sizeof(locals) - 1] = 1;                                                    \
		NO_TAIL_CALL();                                                                    \
	}

DESCEND(descend_7, descend_0, 24)
DESCEND(descend_6, descend_7, 200)
DESCEND(descend_5, descend_6, 8)
DESCEND(descend_4, descend_5, 120)
DESCEND(descend_3, descend_4, 56)
DESCEND(descend_2, descend_3, 16)
DESCEND(descend_1, descend_2, 88)
DESCEND(descend_0, descend_1, 40)

FRAME void go_down(unsigned int frames)
{
	descend_0(frames - OTHER_FRAMES);
	NO_TAIL_CALL();
}

int main(int argc, char **argv)
{
	unsigned int frames = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;

	if (frames <= OTHER_FRAMES) {
		fprintf(stderr, "usage: target FRAMES LIBRARY|- [METHOD]\n");
		return 2;
	}
	if (strcmp(argv[2], "-") != 0 && !dlopen(argv[2], RTLD_LAZY)) {
		fprintf(stderr, "target: %s\n", dlerror());
		return 1;
	}
	if (argc > 3) {
		method = self_method(argv[3]);
		if (!method) {
			fprintf(stderr, "target: no method %s\n", argv[3]);
			return 2;
		}
	}
	go_down(frames);
	return 0;
}
