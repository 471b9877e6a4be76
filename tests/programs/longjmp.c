/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * longjmp over a pending call of malloc: the call never returns, so no block may be booked for it, neither then nor when the
 * next call returns. The allocator is allocator_lib.so, beside this program: attach with -O to it.
 */
#include <dlfcn.h>
#include <setjmp.h>
#include "truth.h"

enum { JUMPS = 100, BLOCKS = 50 };

static jmp_buf out;
static void *(*lib_malloc)(size_t size);
static void (*lib_free)(void *block);
static void (*set_hook)(void (*hook)(void));

static void jump_out(void)
{
	longjmp(out, 1);
}

FRAME void abandoned_call(unsigned int depth)
{
	if (depth > 0)
		abandoned_call(depth - 1);
	else
		truth_keep(lib_malloc(7777));
	NO_TAIL_CALL();
}

FRAME void leak_after_jump(void)
{
	truth_keep(lib_malloc(100));
	NO_TAIL_CALL();
}

FRAME void freed_after_jump(void)
{
	lib_free(truth_keep(lib_malloc(4000)));
	NO_TAIL_CALL();
}

FRAME void jump(unsigned int depth)
{
	set_hook(jump_out);
	if (!setjmp(out))
		abandoned_call(depth);
	set_hook(NULL);
}

int main(int argc, char **argv)
{
	char path[4096];
	unsigned int i;
	void *lib;

	truth_require(argc > 0, "no name");
	truth_beside(argv[0], "allocator_lib.so", path, sizeof(path));
	lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	truth_require(lib != NULL, "dlopen");
	lib_malloc = (void *(*)(size_t))dlsym(lib, "malloc");
	lib_free = (void (*)(void *))dlsym(lib, "free");
	set_hook = (void (*)(void (*)(void)))dlsym(lib, "allocator_set_hook");
	truth_ready();
	for (i = 0; i < JUMPS; i++)
		jump(i % 10);
	for (i = 0; i < BLOCKS; i++) {
		jump(i % 3);
		leak_after_jump();
		jump(20);
		freed_after_jump();
	}
	truth(0, 0, "abandoned_call");
	truth(BLOCKS * 100, BLOCKS, "leak_after_jump");
	truth(0, 0, "freed_after_jump");
	truth_done();
	return 0;
}
