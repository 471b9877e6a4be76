/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * storm [ROUNDS]: 200 plugins are opened, used and closed, one after the other, as fast as that goes, ROUNDS times (3 if not
 * given), while eight threads allocate and free; a few blocks of each leak. The plugins follow each other at the same addresses. (They are
 * built from storm_plugin.h: each has a name, a block size and frames of its own.) A line `rate N`: plugins opened a second.
 */
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>
#include "threads.h"
#include "storm.h"

enum { THREADS = 8, BLOCKS = 50, BLOCK_SIZE = 505, PAUSE_NS = 200000 };

static const char *program;
static int rounds = 3;
static atomic_int n_waiting = THREADS;
static atomic_bool ended;

FRAME void leak_in_thread(void)
{
	truth_keep(malloc(BLOCK_SIZE));
	NO_TAIL_CALL();
}

FRAME void allocate_and_free(unsigned int depth)
{
	if (depth) {
		allocate_and_free(depth - 1);
	} else {
		void *block = truth_keep(malloc(100));

		free(block);
	}
	NO_TAIL_CALL();
}

static void *allocate(void *unused)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	int leaked = 0;

	free(truth_keep(malloc(1))); /* its arena */
	atomic_fetch_sub(&n_waiting, 1);
	while (!atomic_load(&ended)) {
		for (unsigned int depth = 0; depth < 10; depth++)
			allocate_and_free(depth);
		if (leaked < BLOCKS) {
			leak_in_thread();
			leaked++;
		}
		nanosleep(&pause, NULL);
	}
	for (; leaked < BLOCKS; leaked++)
		leak_in_thread();
	return unused;
}

/* The dynamic linker's own blocks: most are freed with the plugin. */
FRAME void *open_plugin(int number)
{
	char name[64], path[4096];
	void *plugin;

	snprintf(name, sizeof(name), "storm_plugins/%d.so", number);
	truth_beside(program, name, path, sizeof(path));
	plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	truth_require(plugin != NULL, "dlopen");
	return plugin;
}

FRAME void close_plugin(void *plugin)
{
	truth_require(dlclose(plugin) == 0, "dlclose");
}

FRAME void round_trip(int number)
{
	void *plugin = open_plugin(number);
	void (*leak)(void) = (void (*)(void))dlsym(plugin, "leak");

	truth_require(leak != NULL, "dlsym");
	leak();
	close_plugin(plugin);
}

FRAME void open_and_close_all(void)
{
	struct timespec begin, end;
	char line[64];
	double seconds;

	while (atomic_load(&n_waiting))
		;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (int i = 0; i < rounds * PLUGINS; i++)
		round_trip(FIRST_PLUGIN + i % PLUGINS);
	clock_gettime(CLOCK_MONOTONIC, &end);
	seconds = (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
	snprintf(line, sizeof(line), "rate %.0f\n", rounds * PLUGINS / seconds);
	truth_write(line);
	atomic_store(&ended, true);
}

static void *thread_main(void *unused)
{
	static atomic_int n_started;

	if (atomic_fetch_add(&n_started, 1) < THREADS)
		return allocate(unused);
	open_and_close_all();
	return unused;
}

int main(int argc, char **argv)
{
	char name[64];

	program = argv[0];
	if (argc > 1)
		rounds = atoi(argv[1]);
	threads_prepare(THREADS + 1);
	truth_ready();
	threads_run(THREADS + 1, thread_main);
	truth(THREADS * BLOCKS * BLOCK_SIZE, THREADS * BLOCKS, "leak_in_thread");
	for (int i = FIRST_PLUGIN; i < FIRST_PLUGIN + PLUGINS; i++) {
		snprintf(name, sizeof(name), "leak_%d", i);
		truth((size_t)rounds * (size_t)i, (size_t)rounds, name);
	}
	truth_other("open_plugin");
	truth_done();
	return 0;
}
