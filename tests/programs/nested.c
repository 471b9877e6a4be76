/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An allocator whose calloc and realloc call its malloc and free: each block belongs to the outermost call, with the size asked for there.
 * The allocator is allocator_lib.so, beside this program: attach with -O to it.
 */
#include <dlfcn.h>
#include "truth.h"

enum { BLOCKS = 40 };

static void *(*lib_malloc)(size_t size);
static void *(*lib_calloc)(size_t count, size_t size);
static void *(*lib_realloc)(void *block, size_t size);
static void (*lib_free)(void *block);

FRAME void leak_calloc(void)
{
	truth_keep(lib_calloc(3, 100));
	NO_TAIL_CALL();
}

FRAME void *first_block(void)
{
	void *block = truth_keep(lib_malloc(50));

	NO_TAIL_CALL();
	return block;
}

FRAME void leak_realloc(void)
{
	truth_keep(lib_realloc(first_block(), 700));
	NO_TAIL_CALL();
}

FRAME void leak_realloc_of_nothing(void)
{
	truth_keep(lib_realloc(NULL, 90));
	NO_TAIL_CALL();
}

/* The library's largest block is some 16 KiB. */
FRAME void *kept_by_failure(void)
{
	void *block = truth_keep(lib_malloc(60));

	truth_require(!lib_realloc(block, 1 << 20), "a huge realloc succeeded");
	return block;
}

FRAME void freed(void)
{
	lib_free(truth_keep(lib_calloc(7, 100)));
	lib_free(truth_keep(lib_realloc(first_block(), 800)));
	NO_TAIL_CALL();
}

int main(int argc, char **argv)
{
	char path[4096];
	void *lib;
	int i;

	truth_require(argc > 0, "no name");
	truth_beside(argv[0], "allocator_lib.so", path, sizeof(path));
	lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	truth_require(lib != NULL, "dlopen");
	lib_malloc = (void *(*)(size_t))dlsym(lib, "malloc");
	lib_calloc = (void *(*)(size_t, size_t))dlsym(lib, "calloc");
	lib_realloc = (void *(*)(void *, size_t))dlsym(lib, "realloc");
	lib_free = (void (*)(void *))dlsym(lib, "free");
	truth_ready();
	for (i = 0; i < BLOCKS; i++) {
		leak_calloc();
		leak_realloc();
		leak_realloc_of_nothing();
		kept_by_failure();
		freed();
	}
	truth(BLOCKS * 300, BLOCKS, "leak_calloc");
	truth(0, 0, "first_block");
	truth(BLOCKS * 700, BLOCKS, "leak_realloc");
	truth(BLOCKS * 90, BLOCKS, "leak_realloc_of_nothing");
	truth(BLOCKS * 60, BLOCKS, "kept_by_failure");
	truth(0, 0, "freed");
	truth_done();
	return 0;
}
