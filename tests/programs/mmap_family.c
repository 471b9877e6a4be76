/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mmap, mremap and munmap: kept, unmapped in part at either end and in the middle, mapped over, moved, shrunk, and calls that fail; threads
 * that are given each other's ranges. Mappings that the C library makes inside malloc, and inside free, count for
 * nothing besides the block.
 */
#include <sys/mman.h>
#include <pthread.h>
#include "truth.h"
#include "threads.h"

enum { PAGE = 4096, ROUNDS = 20, THREADS = 4, TURNS = 2000 };

static pthread_mutex_t blocks_lock = PTHREAD_MUTEX_INITIALIZER;
static void *blocks[THREADS];
static int n_blocks;

FRAME char *map_at(void *addr, size_t size, int flags)
{
	char *start = mmap(addr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags,
			   -1, 0);

	truth_require(start != MAP_FAILED, "mmap");
	return start;
}

FRAME void leak_mapping(void)
{
	for (int i = 0; i < ROUNDS; i++)
		truth_keep(map_at(NULL, 5 * PAGE + 100, 0));
	NO_TAIL_CALL();
}

FRAME void unmap_whole(void)
{
	for (int i = 0; i < ROUNDS; i++)
		munmap(map_at(NULL, 5 * PAGE + 100, 0), 5 * PAGE + 1);
	NO_TAIL_CALL();
}

/* Five pages are left of ten, in two pieces. */
FRAME void unmap_parts(void)
{
	char *start = map_at(NULL, 10 * PAGE, 0);

	munmap(start, PAGE);
	munmap(start + 8 * PAGE, 2 * PAGE);
	munmap(start + 3 * PAGE, 2 * PAGE - 50);
	NO_TAIL_CALL();
}

/* One page in the middle is another's now. */
FRAME void map_under(char **start)
{
	*start = map_at(NULL, 3 * PAGE, 0);
	NO_TAIL_CALL();
}

FRAME void map_over(char *start)
{
	truth_keep(map_at(start + PAGE, 100, MAP_FIXED));
	NO_TAIL_CALL();
}

FRAME void leak_remapped(void)
{
	char *start = map_at(NULL, 2 * PAGE, 0), *grown;

	grown = mremap(start, 2 * PAGE, 50 * PAGE, MREMAP_MAYMOVE);
	truth_require(grown != MAP_FAILED, "mremap");
	start = mremap(grown, 50 * PAGE, 7 * PAGE, 0);
	truth_require(start == grown, "mremap, to shrink");
	NO_TAIL_CALL();
}

/* Nothing changes. */
FRAME void leak_failed(void)
{
	char *start = map_at(NULL, 4 * PAGE, 0);

	truth_require(munmap(start + 1, PAGE) != 0, "munmap of no page did not fail");
	truth_require(munmap(start, 0) != 0, "munmap of nothing did not fail");
	truth_require(mremap(start, 4 * PAGE, (size_t)1 << 50, MREMAP_MAYMOVE) == MAP_FAILED,
		      "a huge mremap did not fail");
	truth_require(mmap(NULL, (size_t)1 << 60, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
			      MAP_FAILED,
		      "a huge mmap did not fail");
	NO_TAIL_CALL();
}

/* glibc maps what is above its threshold, and moves it by mremap. */
FRAME void leak_block(void)
{
	truth_keep(realloc(malloc(1 << 20), 3 << 20));
	free(truth_keep(malloc(2 << 20)));
	NO_TAIL_CALL();
}

FRAME void leak_in_turn(void)
{
	truth_keep(map_at(NULL, PAGE, 0));
	NO_TAIL_CALL();
}

/* What one thread gives back the next is given. */
static void *take_turns(void *unused)
{
	for (int i = 0; i < TURNS; i++)
		munmap(truth_keep(map_at(NULL, (1 + i % 3) * PAGE, 0)), (1 + i % 3) * PAGE);
	leak_in_turn();
	return unused;
}

/* A thread's first call is free(), inside which the C library maps an arena. */
static void *free_first(void *unused)
{
	pthread_barrier_wait(&threads_together);
	pthread_mutex_lock(&blocks_lock);
	free(truth_keep(blocks[--n_blocks]));
	pthread_mutex_unlock(&blocks_lock);
	return unused;
}

FRAME void give_blocks(void)
{
	while (n_blocks < THREADS)
		blocks[n_blocks++] = truth_keep(malloc(2000));
}

int main(void)
{
	char *under;

	threads_prepare(THREADS);
	truth_ready();
	leak_mapping();
	unmap_whole();
	unmap_parts();
	map_under(&under);
	map_over(under);
	leak_remapped();
	leak_failed();
	leak_block();
	give_blocks();
	threads_run(THREADS, free_first);
	threads_run(THREADS, take_turns);
	truth(ROUNDS * (5 * PAGE + 100), ROUNDS, "leak_mapping");
	truth(0, 0, "unmap_whole");
	truth(5 * PAGE, 2, "unmap_parts");
	truth(2 * PAGE, 2, "map_under");
	truth(100, 1, "map_over");
	truth(7 * PAGE, 1, "leak_remapped");
	truth(4 * PAGE, 1, "leak_failed");
	truth(3 << 20, 1, "leak_block");
	truth(THREADS * PAGE, THREADS, "leak_in_turn");
	truth(0, 0, "give_blocks");
	truth_done();
	return 0;
}
