/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outstanding BLOCKS STACKS: holds so many blocks from so many different stacks, then allocates and frees without end. For
 * bench/report.
 *
 *   pid N               on stdout; then a line is awaited on stdin: time to attach
 *   held BLOCKS BYTES   they are there now
 *
 * From then on, for every line: `rounds N longest MS mean MS`: pairs of malloc and free since the last line, the longest time that
 * one took and the mean. A pause that the process was put to shows there.
 *
 * A stack is a number, written by the calls that lead to the allocation: of two functions one for each of its bits.
 */
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { BITS = 16 };

/* Keeps a call from becoming a jump, and a function from being merged with its twin. */
#define DISTINCT(text) __asm__ volatile("# " text ::: "memory")

static void *held;

__attribute__((noinline)) static void allocate(size_t size)
{
	void **block = malloc(size);

	if (!block)
		_exit(1);
	*block = held; /* a list: the blocks need no other room */
	held = block;
	DISTINCT("allocate");
}

static void descend(unsigned int number, int bits, size_t size);

__attribute__((noinline)) static void zero(unsigned int number, int bits, size_t size)
{
	descend(number, bits, size);
	DISTINCT("zero");
}

__attribute__((noinline)) static void one(unsigned int number, int bits, size_t size)
{
	descend(number, bits, size);
	DISTINCT("one");
}

__attribute__((noinline)) static void descend(unsigned int number, int bits, size_t size)
{
	if (!bits)
		allocate(size);
	else if (number & 1)
		one(number >> 1, bits - 1, size);
	else
		zero(number >> 1, bits - 1, size);
	DISTINCT("descend");
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* False at the end of the input. */
static int read_line(void)
{
	char c;

	while (read(STDIN_FILENO, &c, 1) == 1)
		if (c == '\n')
			return 1;
	return 0;
}

static void work(void)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	uint64_t rounds = 0, longest = 0, begin = now_ns(), last = begin;

	for (;;) {
		void *volatile block = malloc(100);
		uint64_t now;

		free(block);
		now = now_ns();
		if (now - last > longest)
			longest = now - last;
		last = now;
		if (++rounds % 256 || poll(&in, 1, 0) == 0)
			continue;
		if (!read_line())
			return;
		printf("rounds %llu longest %.3f mean %.5f\n", (unsigned long long)rounds,
		       (double)longest / 1e6, (double)(last - begin) / 1e6 / (double)rounds);
		rounds = longest = 0;
		begin = last = now_ns();
	}
}

int main(int argc, char **argv)
{
	unsigned long blocks = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
	unsigned long stacks = argc > 2 ? strtoul(argv[2], NULL, 10) : 10000;
	unsigned long long bytes = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("pid %d\n", getpid());
	if (!stacks || stacks > 1UL << BITS || !read_line())
		return 2;
	for (unsigned long i = 0; i < blocks; i++) {
		size_t size = 16 + i % 7 * 8;

		descend((unsigned int)(i % stacks), BITS, size);
		bytes += size;
	}
	printf("held %lu %llu\n", blocks, bytes);
	work();
	return 0;
}
