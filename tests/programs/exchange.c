/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads that free, or realloc, each other's blocks, for some seconds: exchange SECONDS [LEAKS]. Each puts what it has allocated
 * into a shared place and frees what it finds there, so that addresses change hands all the time; at the end the places are full. Every LEAKS-th
 * block is put nowhere (0: none). A block begins with its size and the function that allocated it, and so its last owner counts it.
 *
 * GLIBC_TUNABLES=glibc.malloc.arena_max=1:glibc.malloc.tcache_count=0 makes all threads take their addresses from one heap.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include "threads.h"

enum { THREADS = 16, PLACES = 4096, ROUNDS = 64 };

struct block {
	uint32_t size, function;
};

static _Atomic(struct block *) places[PLACES];
static atomic_ullong bytes[8], blocks[8], rounds; /* outstanding, by function */
static atomic_uint seeds;
static atomic_bool over;
static unsigned int leaks;

static unsigned int next_random(unsigned int *state)
{
	*state = *state * 1103515245u + 12345u;
	return *state >> 16;
}

FRAME struct block *by_malloc(size_t size)
{
	return truth_keep(malloc(size));
}

FRAME struct block *by_calloc(size_t size)
{
	return truth_keep(calloc(size, 1));
}

FRAME struct block *by_posix_memalign(size_t size)
{
	void *block = NULL;

	truth_require(!posix_memalign(&block, 64, size), "posix_memalign");
	return truth_keep(block);
}

FRAME struct block *by_aligned_alloc(size_t size)
{
	return truth_keep(aligned_alloc(32, size));
}

FRAME struct block *by_realloc(struct block *block, size_t size)
{
	return truth_keep(realloc(block, size));
}

FRAME struct block *by_reallocarray(struct block *block, size_t size)
{
	return truth_keep(reallocarray(block, size, 1));
}

/* The functions by number; realloc's are never the first of a block's. */
enum { BY_MALLOC, BY_CALLOC, BY_POSIX_MEMALIGN, BY_ALIGNED_ALLOC, BY_REALLOC, BY_REALLOCARRAY, N };

static const char *const names[] = {"by_malloc",	"by_calloc",  "by_posix_memalign",
				    "by_aligned_alloc", "by_realloc", "by_reallocarray"};
static struct block *(*const makers[])(size_t) = {by_malloc, by_calloc, by_posix_memalign,
						  by_aligned_alloc};

/* What is outstanding, counted once: of a block in the places, or leaked. */
static void add(const struct block *block)
{
	atomic_fetch_add(&bytes[block->function], block->size);
	atomic_fetch_add(&blocks[block->function], 1);
}

static struct block *make(unsigned int random)
{
	/* mostly malloc, as programs do */
	unsigned int function = random % 8 < 5 ? BY_MALLOC : random % 8 - 4;
	uint32_t size = 16 + random % (random % 64 ? 200 : 20000);
	struct block *block = makers[function](size);

	truth_require(block != NULL, "an allocation");
	*block = (struct block){size, function};
	return block;
}

static struct block *change(struct block *block, unsigned int random)
{
	uint32_t size = 16 + random % 400;
	unsigned int function = random % 2 ? BY_REALLOC : BY_REALLOCARRAY;
	volatile size_t too_much = PTRDIFF_MAX;

	if (random % 5 == 0) { /* fails: the block is as it was */
		truth_require(!by_realloc(block, too_much), "a realloc that fails");
		return block;
	}
	block = function == BY_REALLOC ? by_realloc(block, size) : by_reallocarray(block, size);
	truth_require(block != NULL, "a reallocation");
	*block = (struct block){size, function};
	return block;
}

static void one_round(unsigned int *state, unsigned long long number)
{
	unsigned int random = next_random(state);
	struct block *block = make(random);

	if (leaks && number % leaks == 0) {
		add(block);
		return;
	}
	block = atomic_exchange(&places[next_random(state) % PLACES], block);
	if (block && random % 16 == 3)
		block = atomic_exchange(&places[next_random(state) % PLACES],
					change(block, next_random(state)));
	free(block);
}

static void *work(void *argument)
{
	unsigned int state = atomic_fetch_add(&seeds, 1) * 7919;
	unsigned long long number = 0;

	while (!atomic_load(&over))
		for (int i = 0; i < ROUNDS; i++)
			one_round(&state, ++number);
	atomic_fetch_add(&rounds, number);
	return argument;
}

/* One thread is the clock. */
static unsigned int seconds;

static void *work_or_time(void *argument)
{
	struct timespec span = {.tv_sec = seconds};

	if (pthread_barrier_wait(&threads_together) != PTHREAD_BARRIER_SERIAL_THREAD)
		return work(argument);
	nanosleep(&span, NULL);
	atomic_store(&over, true);
	return argument;
}

int main(int argc, char **argv)
{
	char line[64];

	seconds = argc > 1 ? (unsigned int)atoi(argv[1]) : 1;
	leaks = argc > 2 ? (unsigned int)atoi(argv[2]) : 0;
	threads_prepare(THREADS + 1);
	truth_ready();
	threads_run(THREADS + 1, work_or_time);
	for (int i = 0; i < PLACES; i++)
		if (places[i])
			add(places[i]);
	snprintf(line, sizeof(line), "rounds %llu\n", (unsigned long long)rounds);
	truth_write(line);
	for (int i = 0; i < N; i++)
		truth(bytes[i], blocks[i], names[i]);
	truth_done();
	return 0;
}
