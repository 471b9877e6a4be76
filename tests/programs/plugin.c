/* SPDX-License-Identifier: BSD-2-Clause */
/* A library that is opened after the tool has attached: its first allocations happen before anyone could have read its tables. */
#include <dlfcn.h>
#include "truth.h"

enum { CALLS = 25 };

/* The dynamic linker's own blocks stay as long as the plugin is open; their sizes are its secret. */
FRAME void *open_plugin(const char *path)
{
	void *plugin = dlopen(path, RTLD_NOW);

	truth_require(plugin != NULL, "dlopen");
	return plugin;
}

int main(int argc, char **argv)
{
	void (*plugin_leak)(void);
	char path[4096];
	int i;

	truth_require(argc > 0, "no name");
	truth_beside(argv[0], "plugin_lib.so", path, sizeof(path));
	truth_ready();
	plugin_leak = (void (*)(void))dlsym(open_plugin(path), "plugin_leak");
	truth_require(plugin_leak != NULL, "dlsym");
	for (i = 0; i < CALLS; i++)
		plugin_leak();
	truth(3 * 1717, 3, "plugin_constructor_leak");
	truth(CALLS * 2323, CALLS, "plugin_leak");
	truth_other("open_plugin");
	truth_done();
	return 0;
}
