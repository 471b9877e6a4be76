/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads that cost the heap nothing: a first round, before `ready`, leaves the C library's cache with as many stacks, each
 * with its table of thread-local storage, which is the only block that pthread_create() would leave behind.
 * The stacks are small because that cache is (40 MiB). The first round allocates nothing, so that the
 * first malloc of each later thread is still the one that maps its arena.
 */
#ifndef THREADS_H
#define THREADS_H

#include <pthread.h>
#include "truth.h"

#define THREADS_MAX 17

static pthread_barrier_t threads_together;

static inline void *threads_idle(void *unused)
{
	/* All at once, or one stack would serve them all. */
	pthread_barrier_wait(&threads_together);
	return unused;
}

static inline void threads_run(unsigned int count, void *(*function)(void *))
{
	pthread_t threads[THREADS_MAX];
	pthread_attr_t attr;
	unsigned int i;

	pthread_barrier_init(&threads_together, NULL, count);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 << 10);
	for (i = 0; i < count; i++)
		truth_require(!pthread_create(&threads[i], &attr, function, NULL),
			      "pthread_create");
	for (i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	pthread_attr_destroy(&attr);
	pthread_barrier_destroy(&threads_together);
}

static inline void threads_prepare(unsigned int count)
{
	threads_run(count, threads_idle);
}

#endif
