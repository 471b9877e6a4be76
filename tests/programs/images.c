/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * images STEP...: process images that follow each other. `ready`: as truth.h says. `first`, `second`: opens that plugin of unload.c, calls it, and
 * calls exec for the next step: without address space randomization (setarch -R) the plugins are at the same addresses. `exit`. A path: exec of that
 * program. After the last step: waits for a line.
 */
#include <dlfcn.h>
#include "truth.h"

enum { CALLS = 20 };

FRAME void use_plugin(const char *argv0, const char *name)
{
	char file[64], path[4096];
	void (*leak)(void);
	void *plugin;

	snprintf(file, sizeof(file), "unload_%s_lib.so", name);
	truth_beside(argv0, file, path, sizeof(path));
	plugin = dlopen(path, RTLD_NOW);
	truth_require(plugin != NULL, "dlopen");
	leak = (void (*)(void))dlsym(plugin, "leak");
	truth_require(leak != NULL, "dlsym");
	for (int i = 0; i < CALLS; i++)
		leak();
}

int main(int argc, char **argv)
{
	char *program = argv[0];

	if (argc > 1 && strcmp(argv[1], "ready") == 0) {
		truth_ready();
		argv++;
		argc--;
	}
	if (argc > 1 && strcmp(argv[1], "exit") == 0)
		return 0;
	if (argc > 1 && argv[1][0] == '/') {
		execv(argv[1], argv + 1);
		truth_require(0, "exec");
	}
	if (argc > 1) {
		use_plugin(program, argv[1]);
		argv[1] = program;
		execv(program, argv + 1);
		truth_require(0, "exec");
	}
	truth_done();
	return 0;
}
