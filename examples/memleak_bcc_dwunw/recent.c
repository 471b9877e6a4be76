/* SPDX-License-Identifier: BSD-2-Clause */
#include "recent.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#define MOST_TRIES 1000

#ifndef RECENT_STEP
#define RECENT_STEP() /* where a test lets another thread run */
#endif

int recent_map(int fd, const struct memleak_recent **ret)
{
	void *places = mmap(NULL, RECENT_PLACES * sizeof(**ret), PROT_READ, MAP_SHARED, fd, 0);

	if (places == MAP_FAILED)
		return -errno;
	*ret = places;
	return 0;
}

void recent_unmap(const struct memleak_recent *places)
{
	if (places)
		munmap((void *)places, RECENT_PLACES * sizeof(*places));
}

/* The place as it was at one moment; false: it has changed meanwhile, but for the beginning or end of a move. */
static bool copy_once(const struct memleak_recent *place, struct memleak_recent *ret)
{
	uint64_t state = __atomic_load_n(&place->state, __ATOMIC_ACQUIRE), after;

	RECENT_STEP();
	*ret = *place;
	RECENT_STEP();
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	after = __atomic_load_n(&place->state, __ATOMIC_RELAXED);
	ret->state = (state & RECENT_HOLDS) == RECENT_FULL ? RECENT_FULL : state & RECENT_MOVING;
	return !((state ^ after) & ~(uint64_t)RECENT_MOVING);
}

/* One that never keeps still has no block that is there all the time. */
static void copy_place(const struct memleak_recent *place, struct memleak_recent *ret)
{
	for (unsigned int i = 0; i < MOST_TRIES; i++)
		if (copy_once(place, ret))
			return;
	ret->state = RECENT_EMPTY;
}

int recent_copy(const struct memleak_recent *places, struct memleak_recent **ret)
{
	struct memleak_recent *copy = malloc(RECENT_PLACES * sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	for (size_t i = 0; i < RECENT_PLACES; i++)
		copy_place(&places[i], &copy[i]);
	*ret = copy;
	return 0;
}

bool recent_covers(const struct memleak_recent *copy, const struct memleak_key *key)
{
	const struct memleak_recent *place = &copy[recent_place(key)];

	return place->state && place->key.addr == key->addr && place->key.image == key->image;
}
