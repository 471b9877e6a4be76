/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The benchmark's target: pairs of malloc and free at the bottom of a deep stack, timed from inside.
 *
 *   pairs FRAMES      FRAMES on the stack inside malloc, its own included: from 10 (11, 26 and 66 are compared)
 *
 * It prints `ready PID`, then obeys one command per line of stdin, so that a driver can attach and detach in between,
 * and answers each on one line:
 *
 *   round PAIRS       measures; prints `ns N`, nanoseconds per pair with one decimal
 *   quit              (or end of file) ends
 *
 * The way down alternates between functions with frames of different sizes, so that no two frames next to each other
 * share a row of unwind information. No debug information and no frame pointers, as distributions build.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FRAME __attribute__((noinline))

/* Keeps a call from becoming a jump. */
#define NO_TAIL_CALL() __asm__ volatile("" ::: "memory")

/* malloc, pairs, bottom; measure_below, obey, main, two functions of the C library's start, _start. */
enum { OTHER_FRAMES = 9, SIZE = 128 };

FRAME void pairs(unsigned long count)
{
	while (count--) {
		void *block = malloc(SIZE);

		__asm__ volatile("" : "+r"(block) : : "memory");
		free(block);
	}
}

static double elapsed_ns(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - start->tv_sec) * 1e9 + (now.tv_nsec - start->tv_nsec);
}

FRAME double descend_0(unsigned int depth, unsigned long count);

FRAME double bottom(unsigned long count)
{
	struct timespec start;
	double ns;

	clock_gettime(CLOCK_MONOTONIC, &start);
	pairs(count);
	ns = elapsed_ns(&start);
	return ns / count;
}

/* One of the functions of the way down: `bytes` of locals, then on to the next, or to the bottom. */
#define DESCEND(name, next, bytes)                                                                 \
	FRAME double name(unsigned int depth, unsigned long count)                                 \
	{                                                                                          \
		volatile char locals[bytes];                                                       \
		double ns;                                                                         \
                                                                                                   \
		locals[0] = 1;                                                                     \
		ns = depth > 1 ? next(depth - 1, count) : bottom(count);                           \
		locals[sizeof(locals) - 1] = 1;                                                    \
		NO_TAIL_CALL();                                                                    \
		return ns;                                                                         \
	}

DESCEND(descend_7, descend_0, 24)
DESCEND(descend_6, descend_7, 200)
DESCEND(descend_5, descend_6, 8)
DESCEND(descend_4, descend_5, 120)
DESCEND(descend_3, descend_4, 56)
DESCEND(descend_2, descend_3, 16)
DESCEND(descend_1, descend_2, 88)
DESCEND(descend_0, descend_1, 40)

FRAME void measure_below(unsigned int frames, unsigned long count)
{
	printf("ns %.1f\n", descend_0(frames - OTHER_FRAMES, count));
	fflush(stdout);
}

FRAME void obey(unsigned int frames)
{
	char line[64];
	unsigned long count;

	while (fgets(line, sizeof(line), stdin) && strcmp(line, "quit\n") != 0) {
		if (sscanf(line, "round %lu", &count) == 1 && count > 0) {
			measure_below(frames, count);
		} else {
			printf("unknown command\n");
			fflush(stdout);
		}
	}
}

int main(int argc, char **argv)
{
	unsigned int frames = argc > 1 ? strtoul(argv[1], NULL, 10) : 26;

	if (frames < OTHER_FRAMES + 1) {
		fprintf(stderr, "pairs: at least %d frames\n", OTHER_FRAMES + 1);
		return 1;
	}
	printf("ready %d\n", getpid());
	fflush(stdout);
	obey(frames);
	return 0;
}
