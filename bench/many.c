/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * many: pairs of malloc and free among many stacks, blocks, mappings or processes. For bench/scale and bench/attach.
 *
 * It prints `ready PID`, and answers each command, one a line, with one line. `ns N` is CPU time of the thread, per pair.
 *
 *   sweep N            a pair from each of N stacks (at most 131,072): `ns N`
 *   stacks N PAIRS [RATE]  pairs, each from one of these at random, as fast as it goes or RATE a second: `ns N`
 *   hold N             allocates until N blocks are held: `ns N`, per block
 *   swap PAIRS         frees a block that is held, at random, and allocates another for it: `ns N`
 *   open DIR N         opens DIR/0.so and so on until N libraries are open: `open N`
 *   hops N PAIRS       pairs, each from below 16 libraries that follow one another of the first N, from a random one on: `ns N`
 *   fork N             until there are N children: `forked PID...`
 *   children N PAIRS   pairs in each of the first N children at once: `ns N`, the mean
 *
 * The stacks have 26 frames, malloc's included; those of `hops` 25.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hop.h"

#define FRAME __attribute__((noinline))

/* Keeps a call from becoming a jump, and two calls from becoming one. */
#define DISTINCT(text) __asm__ volatile("# " text ::: "memory")

enum { BITS = 17, SIZE = 64, HOPS = 16, MAX_LIBRARIES = 4096, MAX_CHILDREN = 256 };

static void **blocks;
static unsigned long n_blocks;
static void (*calls[MAX_LIBRARIES])(struct hops *hops);
static unsigned int n_open;
static int to_child[MAX_CHILDREN], from_child[MAX_CHILDREN];
static unsigned int n_children;

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static uint32_t below(uint32_t n)
{
	static uint64_t state = 1;

	state = state * 6364136223846793005 + 1442695040888963407;
	return (uint32_t)(((state >> 32) * n) >> 32);
}

/* Frees `*place` if it holds a block, and puts a new one there; with no place: a pair. */
FRAME static void allocate(void **place)
{
	void *block;

	if (place)
		free(*place);
	block = malloc(SIZE);
	__asm__ volatile("" : "+r"(block) : : "memory");
	if (place)
		*place = block;
	else
		free(block);
	DISTINCT("allocate");
}

/* The number of the stack is written by which of its calls each level makes. */
FRAME static void descend(uint32_t number, int bits, void **place)
{
	if (!bits) {
		allocate(place);
		DISTINCT("end");
	} else if (number & 1) {
		descend(number >> 1, bits - 1, place);
		DISTINCT("one");
	} else {
		descend(number >> 1, bits - 1, place);
		DISTINCT("zero");
	}
}

static void wait_for_next_ms(struct timespec *next)
{
	next->tv_nsec += 1000000;
	if (next->tv_nsec >= 1000000000) {
		next->tv_nsec -= 1000000000;
		next->tv_sec++;
	}
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, next, NULL);
}

/* With `rate` so many each millisecond, else all at once. One function and one call for all: they are in the stacks. */
FRAME static double measure_stacks(uint32_t n, unsigned long pairs, int in_order,
				   unsigned long rate)
{
	unsigned long part = rate ? rate : pairs;
	struct timespec next;
	double start;

	clock_gettime(CLOCK_MONOTONIC, &next);
	start = now_ns();
	for (unsigned long made = 0; made < pairs; made++) {
		descend(in_order ? (uint32_t)made : below(n), BITS, NULL);
		if (rate && made % part == part - 1)
			wait_for_next_ms(&next);
	}
	return (now_ns() - start) / (double)pairs;
}

static double hold(unsigned long n)
{
	unsigned long before = n_blocks;
	double start;

	blocks = realloc(blocks, n * sizeof(*blocks));
	start = now_ns();
	for (; n_blocks < n; n_blocks++) {
		blocks[n_blocks] = NULL;
		descend(0, BITS, &blocks[n_blocks]);
	}
	return (now_ns() - start) / (double)(n - before);
}

static double swap(unsigned long pairs)
{
	double start = now_ns();

	for (unsigned long i = 0; i < pairs; i++)
		descend(0, BITS, &blocks[below((uint32_t)n_blocks)]);
	return (now_ns() - start) / (double)pairs;
}

static void open_libraries(const char *folder, unsigned int n)
{
	char path[512];
	void *library;

	for (; n_open < n && n_open < MAX_LIBRARIES; n_open++) {
		snprintf(path, sizeof(path), "%s/%u.so", folder, n_open);
		library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
		if (!library)
			break;
		calls[n_open] = (void (*)(struct hops *))dlsym(library, "hop");
	}
}

static void last_hop(struct hops *hops)
{
	(void)hops;
	allocate(NULL);
	DISTINCT("last");
}

static double measure_hops(unsigned int n, unsigned long pairs)
{
	void (*way[HOPS + 1])(struct hops *);
	struct hops hops = {.n = HOPS + 1, .calls = way};
	double start = now_ns();

	for (unsigned long i = 0; i < pairs; i++) {
		uint32_t first = below(n);

		for (unsigned int j = 0; j < HOPS; j++)
			way[j] = calls[(first + j) % n];
		way[HOPS] = last_hop;
		hops.next = 0;
		way[0](&hops);
	}
	return (now_ns() - start) / (double)pairs;
}

static void child(int in, int out)
{
	unsigned long pairs;

	while (read(in, &pairs, sizeof(pairs)) == sizeof(pairs)) {
		double ns = measure_stacks(1, pairs, 0, 0);

		if (write(out, &ns, sizeof(ns)) != sizeof(ns))
			break;
	}
	_exit(0);
}

static void fork_children(unsigned int n)
{
	printf("forked");
	for (; n_children < n && n_children < MAX_CHILDREN; n_children++) {
		int in[2], out[2];
		pid_t pid;

		if (pipe(in) || pipe(out))
			break;
		fflush(stdout);
		pid = fork();
		if (pid < 0)
			break;
		if (!pid) {
			for (unsigned int i = 0; i < n_children; i++)
				close(to_child[i]);
			close(in[1]);
			child(in[0], out[1]);
		}
		printf(" %d", pid);
		close(in[0]);
		close(out[1]);
		to_child[n_children] = in[1];
		from_child[n_children] = out[0];
	}
	printf("\n");
}

static double measure_children(unsigned int n, unsigned long pairs)
{
	double sum = 0, ns;

	for (unsigned int i = 0; i < n; i++)
		if (write(to_child[i], &pairs, sizeof(pairs)) != sizeof(pairs))
			return -1;
	for (unsigned int i = 0; i < n; i++) {
		if (read(from_child[i], &ns, sizeof(ns)) != sizeof(ns))
			return -1;
		sum += ns;
	}
	return sum / n;
}

/* The commands that make pairs. */
FRAME static double measure(const char *line)
{
	unsigned long n = 0, pairs = 0, rate = 0;
	int in_order = sscanf(line, "sweep %lu", &n) == 1;

	if (in_order)
		pairs = n;
	if (in_order || sscanf(line, "stacks %lu %lu %lu", &n, &pairs, &rate) >= 2)
		return n && pairs ? measure_stacks((uint32_t)n, pairs, in_order, rate / 1000) : -1;
	if (sscanf(line, "hold %lu", &n) == 1 && n > n_blocks)
		return hold(n);
	if (sscanf(line, "swap %lu", &pairs) == 1 && n_blocks && pairs)
		return swap(pairs);
	if (sscanf(line, "hops %lu %lu", &n, &pairs) == 2 && n && n <= n_open && pairs)
		return measure_hops((unsigned int)n, pairs);
	if (sscanf(line, "children %lu %lu", &n, &pairs) == 2 && n && n <= n_children && pairs)
		return measure_children((unsigned int)n, pairs);
	return -1;
}

FRAME static void obey(const char *line)
{
	char folder[256];
	unsigned int n;
	double ns;

	if (sscanf(line, "open %255s %u", folder, &n) == 2) {
		open_libraries(folder, n);
		printf("open %u\n", n_open);
		return;
	}
	if (sscanf(line, "fork %u", &n) == 1) {
		fork_children(n);
		return;
	}
	ns = measure(line);
	if (ns < 0)
		printf("not understood\n");
	else
		printf("ns %.1f\n", ns);
}

int main(void)
{
	char line[512];

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("ready %d\n", getpid());
	while (fgets(line, sizeof(line), stdin))
		obey(line);
	return 0;
}
