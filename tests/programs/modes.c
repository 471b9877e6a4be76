/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Three stacks for tests/e2e/modes.sh: one that needs nothing special; one through a library that has frame pointers and no call frame
 * information; one that is deep. The program itself has both.
 */
#include <dlfcn.h>
#include "truth.h"

enum { CALLS = 100, DEPTH = 200 };

FRAME void direct(void)
{
	truth_keep(malloc(1001));
	NO_TAIL_CALL();
}

FRAME void leaf(void)
{
	truth_keep(malloc(10));
	NO_TAIL_CALL();
}

FRAME void deep(int n)
{
	if (n)
		deep(n - 1);
	else
		leaf();
	NO_TAIL_CALL();
}

int main(int argc, char **argv)
{
	void (*above)(void (*function)(void));
	char path[4096];
	void *library;

	(void)argc;
	truth_beside(argv[0], "modes_lib.so", path, sizeof(path));
	library = dlopen(path, RTLD_NOW);
	truth_require(library != NULL, "dlopen");
	*(void **)&above = dlsym(library, "above");
	truth_require(above != NULL, "dlsym");
	truth_ready();
	for (int i = 0; i < CALLS; i++) {
		direct();
		above(leaf);
	}
	deep(DEPTH);
	truth(1001 * CALLS, CALLS, "direct");
	truth(10 * (CALLS + 1), CALLS + 1, "leaf");
	truth_done();
	return 0;
}
