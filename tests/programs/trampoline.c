/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trampoline [DEPTH]: blocks of the C library's malloc, called through a function of a library that another tracer may have return probes
 * on, and that calls itself DEPTH (5) times.
 */
#include <dlfcn.h>
#include "truth.h"

enum { BLOCKS = 20, DEPTH = 5 };

static unsigned int depth = DEPTH;

static void *(*lib_calloc)(size_t count, size_t size);

FRAME void leak_through(void)
{
	truth_keep(lib_calloc(400, depth));
	NO_TAIL_CALL();
}

int main(int argc, char **argv)
{
	char path[4096];
	unsigned int i;
	void *lib;

	truth_require(argc > 0, "no name");
	if (argc > 1)
		depth = (unsigned int)atoi(argv[1]);
	truth_beside(argv[0], "wrapper_lib.so", path, sizeof(path));
	lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	truth_require(lib != NULL, "dlopen");
	lib_calloc = (void *(*)(size_t, size_t))dlsym(lib, "calloc");
	truth_require(lib_calloc != NULL, "dlsym");
	truth_ready();
	for (i = 0; i < BLOCKS; i++)
		leak_through();
	truth(400 * BLOCKS, BLOCKS, "leak_through");
	truth_done();
	return 0;
}
