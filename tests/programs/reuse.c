/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A storm of addresses changing hands: four threads swap blocks through shared places and free, or realloc, what they get there, so
 * that an address is given out again by one thread while another's call is still returning. Some blocks in between are kept. At
 * its best with one heap for all: GLIBC_TUNABLES=glibc.malloc.arena_max=1:glibc.malloc.tcache_count=0
 */
#include <stdatomic.h>
#include "threads.h"

enum { THREADS = 4, PLACES = 64, ROUNDS = 20000, EVERY = 4, SIZE = 60 };

static _Atomic(void *) places[PLACES];
static atomic_uint seeds;

static unsigned int next_random(unsigned int *state)
{
	*state = *state * 1103515245u + 12345u;
	return *state >> 16;
}

FRAME void storm(unsigned int *state)
{
	unsigned int random = next_random(state);
	void *block = truth_keep(malloc(24 + random % 64));

	block = atomic_exchange(&places[random % PLACES], block);
	if (random % 8 == 0)
		block = truth_keep(realloc(block, 24 + random % 200));
	free(block);
	NO_TAIL_CALL();
}

FRAME void leak_in_storm(void)
{
	truth_keep(malloc(SIZE));
	NO_TAIL_CALL();
}

static void *thread_main(void *unused)
{
	unsigned int state = atomic_fetch_add(&seeds, 1) + 1;
	int i;

	pthread_barrier_wait(&threads_together);
	for (i = 0; i < ROUNDS; i++) {
		storm(&state);
		if (i % EVERY == 0)
			leak_in_storm();
	}
	return unused;
}

int main(void)
{
	int i;

	threads_prepare(THREADS);
	truth_ready();
	threads_run(THREADS, thread_main);
	for (i = 0; i < PLACES; i++)
		free(places[i]);
	truth(0, 0, "storm");
	truth(THREADS * ROUNDS / EVERY * SIZE, THREADS * ROUNDS / EVERY, "leak_in_storm");
	truth_done();
	return 0;
}
