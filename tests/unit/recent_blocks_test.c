/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves, of the most recent blocks in front of the hash, under random interleavings of every single access: a free takes out the block that
 * was stored last under its address, whichever thread stored it and wherever it is moved to meanwhile; no block is lost or
 * comes back; a reading has every block that is outstanding all the while exactly once, and none that had been freed before. The same
 * with a full hash, and with threads that the system schedules. A block whose free was not seen is gone when its address is given out
 * again. Left out, the deletion after a move that came too late, and what a reading leaves out of the hash, are found missing; so is a
 * block, if what was there before is deleted only once it is kept. Random numbers have a fixed seed.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "../test.h"

static void step(void);

#define RECENT_STEP() step()
#define RECENT_ORDERED(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)

#include "recent_blocks.h"
#include "recent.c"

enum { ADDRESSES = 5, WORKERS = 4, STACK_SIZE = 64 << 10, CALLS = 300000, THREAD_CALLS = 200000 };

/* One place, so that all addresses meet in it. The hash: by address. */
static struct memleak_recent place;
static struct memleak_block hash[ADDRESSES + 1];
static bool in_hash[ADDRESSES + 1];
static pthread_mutex_t hash_lock = PTHREAD_MUTEX_INITIALIZER;

/* The allocator, as the program sees it: what was stored at each address. */
static int64_t live[ADDRESSES + 1]; /* stack_id, a number of its own for each block; 0: none */
static bool taken[ADDRESSES + 1];   /* not to be given out: a block, or one on its way in or out */
static bool unstored[ADDRESSES + 1];
static int64_t freed[ADDRESSES + 1]; /* the last one of each address */
static int64_t last_block;

/* what is tried */
static bool hash_fills, no_late_deletion, covers_nothing, late_cleaning;
static bool with_threads;
static uint64_t wrong, moves, late, readings;

static uint64_t random_number(void)
{
	static __thread uint64_t state = 1;
	uint64_t z = (state += 0x9e3779b97f4a7c15); /* splitmix64 (Steele, Lea, Flood 2014) */

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* Coroutines: one runs until its next step. */
static ucontext_t contexts[WORKERS + 1], scheduler;
static unsigned int running, calls_left;
static bool ended[WORKERS + 1];

/* Whether the thread is in recent_keep(). */
static bool *keeping(void)
{
	static __thread bool of_thread;
	static bool of_coroutine[WORKERS + 1];

	return with_threads ? &of_thread : &of_coroutine[running];
}

static void step(void)
{
	if (with_threads) {
		if (random_number() % 64 == 0)
			sched_yield();
	} else {
		swapcontext(&contexts[running], &scheduler);
	}
}

static inline int recent_to_hash(const struct memleak_key *key, const struct memleak_block *block)
{
	int err = hash_fills && random_number() % 4 == 0 ? -E2BIG : 0;

	pthread_mutex_lock(&hash_lock);
	moves += *keeping();
	if (!err) {
		hash[key->addr] = *block;
		in_hash[key->addr] = true;
	}
	pthread_mutex_unlock(&hash_lock);
	return err;
}

static inline int recent_from_hash(const struct memleak_key *key)
{
	bool was_there;

	late += *keeping();
	if (*keeping() && no_late_deletion)
		return 0;
	pthread_mutex_lock(&hash_lock);
	was_there = in_hash[key->addr];
	in_hash[key->addr] = false;
	pthread_mutex_unlock(&hash_lock);
	return was_there ? 0 : -ENOENT;
}

/* As put_block() of blocks.bpf.h. */
static int put(const struct memleak_key *key, const struct memleak_block *block)
{
	int err;

	recent_clean(&place, key);
	*keeping() = true;
	err = recent_keep(&place, key, block);
	*keeping() = false;
	step();
	if (late_cleaning && !err)
		recent_from_hash(key);
	if (!err)
		return 0;
	recent_mark(&place, key);
	step();
	return recent_to_hash(key, block);
}

/* As take_block(). */
static int take(const struct memleak_key *key, struct memleak_block *ret)
{
	int err = recent_take(&place, key, ret);

	if (err != -ENOENT)
		return err;
	step();
	pthread_mutex_lock(&hash_lock);
	*ret = hash[key->addr];
	pthread_mutex_unlock(&hash_lock);
	return recent_from_hash(key);
}

static void allocate(uint64_t addr)
{
	const struct memleak_key key = {.addr = addr};
	struct memleak_block block = {.size = addr};

	block.stack_id = __atomic_add_fetch(&last_block, 1, __ATOMIC_SEQ_CST);
	unstored[addr] = put(&key, &block) != 0;
	__atomic_store_n(&live[addr], block.stack_id, __ATOMIC_SEQ_CST);
}

static void release(uint64_t addr, int64_t id)
{
	const struct memleak_key key = {.addr = addr};
	struct memleak_block block;
	int err = take(&key, &block);
	bool is_wrong = unstored[addr] ? err != -ENOENT : err || block.stack_id != id;

	__atomic_fetch_add(&wrong, is_wrong, __ATOMIC_RELAXED);
	freed[addr] = id;
	step(); /* the program's own free() */
	__atomic_store_n(&taken[addr], false, __ATOMIC_SEQ_CST);
}

/* One call of the program, on an address that it may use. */
static void call(void)
{
	uint64_t addr = random_number() % ADDRESSES + 1;
	int64_t id = __atomic_exchange_n(&live[addr], 0, __ATOMIC_SEQ_CST);

	if (id)
		release(addr, id);
	else if (!__atomic_exchange_n(&taken[addr], true, __ATOMIC_SEQ_CST))
		allocate(addr);
	else
		step();
}

/* As read_blocks() of collect.c: which blocks there were; size: the address. */
static unsigned int read_all(struct memleak_block *ret)
{
	struct memleak_recent copy;
	unsigned int n = 0;

	copy_place(&place, &copy);
	if (copy.state == RECENT_FULL)
		ret[n++] = copy.block;
	for (uint64_t addr = 1; addr <= ADDRESSES; addr++) {
		step();
		if (in_hash[addr] && (covers_nothing || !copy.state || copy.key.addr != addr))
			ret[n++] = hash[addr];
	}
	return n;
}

static void check_reading(void)
{
	struct memleak_block blocks[ADDRESSES + 1];
	int64_t before[ADDRESSES + 1], freed_before[ADDRESSES + 1];
	unsigned int n, found[ADDRESSES + 1] = {};

	for (uint64_t addr = 1; addr <= ADDRESSES; addr++)
		before[addr] = unstored[addr] ? 0 : live[addr];
	memcpy(freed_before, freed, sizeof(freed));
	n = read_all(blocks);
	readings++;
	for (unsigned int i = 0; i < n; i++) {
		found[blocks[i].size]++;
		wrong += blocks[i].stack_id <= freed_before[blocks[i].size];
		wrong += found[blocks[i].size] > 1;
	}
	for (uint64_t addr = 1; addr <= ADDRESSES; addr++)
		wrong += before[addr] && live[addr] == before[addr] && found[addr] != 1;
}

static void coroutine(void)
{
	unsigned int self = running;

	while (calls_left) {
		calls_left--;
		if (self == WORKERS)
			check_reading();
		else
			call();
	}
	ended[self] = true;
	swapcontext(&contexts[self], &scheduler);
}

static void begin(void)
{
	memset(&place, 0, sizeof(place));
	memset(in_hash, 0, sizeof(in_hash));
	memset(live, 0, sizeof(live));
	memset(taken, 0, sizeof(taken));
	memset(freed, 0, sizeof(freed));
	memset(ended, 0, sizeof(ended));
	wrong = moves = late = readings = 0;
}

/* Frees what is left: then nothing may be left of it. */
static void end(void)
{
	for (uint64_t addr = 1; addr <= ADDRESSES; addr++) {
		if (live[addr])
			release(addr, live[addr]);
		wrong += in_hash[addr];
	}
	wrong += place.state & (RECENT_HOLDS | RECENT_MOVING);
}

static uint64_t interleave(unsigned int calls)
{
	static char stacks[WORKERS + 1][STACK_SIZE];
	static unsigned int left; /* not in a register */

	begin();
	left = WORKERS + 1;
	calls_left = calls;
	for (unsigned int i = 0; i <= WORKERS; i++) {
		getcontext(&contexts[i]);
		contexts[i].uc_stack.ss_sp = stacks[i];
		contexts[i].uc_stack.ss_size = STACK_SIZE;
		makecontext(&contexts[i], coroutine, 0);
	}
	while (left) {
		running = random_number() % (WORKERS + 1);
		if (ended[running])
			continue;
		swapcontext(&scheduler, &contexts[running]);
		left -= ended[running];
	}
	with_threads = true; /* no coroutine runs */
	end();
	with_threads = false;
	return wrong;
}

static void *thread(void *arg)
{
	for (int i = 0; i < (int)(intptr_t)arg; i++)
		random_number(); /* each thread its own */
	for (int i = 0; i < THREAD_CALLS; i++)
		call();
	return NULL;
}

static uint64_t run_threads(void)
{
	pthread_t threads[WORKERS];

	begin();
	with_threads = true;
	for (intptr_t i = 0; i < WORKERS; i++)
		pthread_create(&threads[i], NULL, thread, (void *)(i * 1000));
	for (int i = 0; i < WORKERS; i++)
		pthread_join(threads[i], NULL);
	end();
	with_threads = false;
	return wrong;
}

/* A reading of all places, while nothing changes. */
static void test_copy(void)
{
	struct memleak_recent *places = calloc(RECENT_PLACES, sizeof(*places)), *copy = NULL;
	const struct memleak_key keys[] = {{.addr = 0x1000, .image = 7}, {.addr = 0x1000}};
	struct memleak_recent *of_first = &places[recent_place(&keys[0])];
	const struct memleak_block block = {.size = 24, .stack_id = 3};

	with_threads = true; /* no coroutine runs */
	CHECK(recent_keep(of_first, &keys[0], &block) == 0);
	CHECK(recent_copy(places, &copy) == 0);
	CHECK(copy[recent_place(&keys[0])].state == RECENT_FULL &&
	      copy[recent_place(&keys[0])].block.stack_id == 3);
	CHECK(recent_covers(copy, &keys[0]) && !recent_covers(copy, &keys[1]));
	free(copy);
	CHECK(recent_take(of_first, &keys[1], NULL) == -ENOENT);
	CHECK(recent_take(of_first, &keys[0], NULL) == 0);
	CHECK(recent_copy(places, &copy) == 0 && !recent_covers(copy, &keys[0]));
	free(copy);
	free(places);
	with_threads = false;
}

/* A block whose free was not seen, in the hash: gone once its address is given out again, though the new one is not in the hash. */
static void test_unseen(void)
{
	const struct memleak_key key = {.addr = 1}, other = {.addr = 2};
	struct memleak_block block = {.size = 1, .stack_id = 1};

	begin();
	with_threads = true; /* no coroutine runs */
	CHECK(put(&key, &block) == 0 && put(&other, &block) == 0 && in_hash[1] && !in_hash[2]);
	block.stack_id = 2;
	CHECK(put(&key, &block) == 0 && !in_hash[1] && in_hash[2]);
	CHECK(take(&key, &block) == 0 && block.stack_id == 2);
	CHECK(take(&key, &block) == -ENOENT);
	with_threads = false;
}

int main(void)
{
	test_copy();
	test_unseen();
	CHECK(interleave(CALLS) == 0);
	CHECK(moves > CALLS / 100 && late > CALLS / 1000 && readings > CALLS / 100);
	hash_fills = true;
	CHECK(interleave(CALLS) == 0);
	hash_fills = false;
	CHECK(run_threads() == 0 && moves > 0);
	no_late_deletion = true;
	CHECK(interleave(CALLS / 10) > 0);
	no_late_deletion = false;
	covers_nothing = true;
	CHECK(interleave(CALLS / 10) > 0);
	covers_nothing = false;
	late_cleaning = true;
	CHECK(interleave(CALLS / 10) > 0);
	return test_end();
}
