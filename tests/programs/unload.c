/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unload [MILLISECONDS [namespace]]: two plugins that are opened and closed in turn, so that they follow each other at the same addresses: the code
 * that was at a pc is not the code that is there now. The frames of the two are of different sizes at the same places.
 * The time, 0 if not given, is waited before each plugin is closed. `namespace`: each is opened in a new namespace of the dynamic linker, with
 * a C library of its own.
 */
#include <dlfcn.h>
#include <time.h>
#include "truth.h"

enum { ROUNDS = 10, CALLS = 5 };

static Lmid_t namespace = LM_ID_BASE;

/* The dynamic linker's own blocks: most are freed with the plugin. */
FRAME void *open_plugin(const char *argv0, const char *name)
{
	char path[4096];
	void *plugin;

	truth_beside(argv0, name, path, sizeof(path));
	plugin = dlmopen(namespace, path, RTLD_NOW | RTLD_LOCAL);
	truth_require(plugin != NULL, "dlmopen");
	return plugin;
}

FRAME void close_plugin(void *plugin)
{
	truth_require(dlclose(plugin) == 0, "dlclose");
}

FRAME void use_plugin(void (*leak)(void))
{
	int i;

	for (i = 0; i < CALLS; i++)
		leak();
	NO_TAIL_CALL();
}

/* Where the plugin's function was. */
FRAME void *round_trip(const char *argv0, const char *name, const struct timespec *pause)
{
	void *plugin = open_plugin(argv0, name);
	void (*leak)(void) = (void (*)(void))dlsym(plugin, "leak");

	truth_require(leak != NULL, "dlsym");
	use_plugin(leak);
	nanosleep(pause, NULL);
	close_plugin(plugin);
	return (void *)leak;
}

int main(int argc, char **argv)
{
	struct timespec pause = {.tv_nsec = argc > 1 ? atol(argv[1]) * 1000000 : 0};
	int i;

	if (argc > 2)
	namespace = LM_ID_NEWLM;
	truth_ready();
	for (i = 0; i < ROUNDS; i++) {
		void *first = round_trip(argv[0], "unload_first_lib.so", &pause);
		void *second = round_trip(argv[0], "unload_second_lib.so", &pause);

		truth_require(first == second, "the plugins are at different addresses");
	}
	truth(ROUNDS * 2 * 1111, ROUNDS * 2, "first_constructor_leak");
	truth(ROUNDS * CALLS * 111, ROUNDS * CALLS, "first_leak");
	truth(ROUNDS * 2 * 2222, ROUNDS * 2, "second_constructor_leak");
	truth(ROUNDS * CALLS * 222, ROUNDS * CALLS, "second_leak");
	truth_other("open_plugin");
	truth_done();
	return 0;
}
