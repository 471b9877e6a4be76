/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replace FOLDER: a plugin is opened, used and closed; its file there is replaced by the other plugin of unload.c, which is opened, at the same addresses,
 * and stays.
 */
#include <dlfcn.h>
#include "truth.h"

enum { CALLS = 20 };

/* Copies the plugin of that name to `path`, as a new file. */
static void install(const char *argv0, const char *name, const char *path)
{
	char from[4096], buffer[65536];
	FILE *in, *out;
	size_t n;

	unlink(path);
	truth_beside(argv0, name, from, sizeof(from));
	in = fopen(from, "re");
	out = fopen(path, "wxe");
	truth_require(in && out, "fopen");
	while ((n = fread(buffer, 1, sizeof(buffer), in)))
		truth_require(fwrite(buffer, 1, n, out) == n, "fwrite");
	truth_require(fclose(in) == 0 && fclose(out) == 0, "fclose");
}

static void *use_plugin(const char *path, void **ret)
{
	void *plugin = dlopen(path, RTLD_NOW);
	void (*leak)(void) = plugin ? (void (*)(void))dlsym(plugin, "leak") : NULL;

	truth_require(leak != NULL, "dlopen");
	for (int i = 0; i < CALLS; i++)
		leak();
	*ret = plugin;
	return (void *)leak;
}

int main(int argc, char **argv)
{
	char path[4096];
	void *first, *second, *plugin;

	truth_require(argc == 2, "one argument");
	snprintf(path, sizeof(path), "%s/plugin.so", argv[1]);
	install(argv[0], "unload_first_lib.so", path);
	truth_ready();
	first = use_plugin(path, &plugin);
	truth_require(dlclose(plugin) == 0, "dlclose");
	install(argv[0], "unload_second_lib.so", path);
	second = use_plugin(path, &plugin);
	truth_require(first == second, "the plugins are at different addresses");
	truth_done();
	return 0;
}
