/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A coroutine whose stack is in a shared file, so that a page of it can be dropped and comes back when it is touched: the frames that it
 * holds are not in memory when malloc is called.
 */
#include <sys/mman.h>
#include <ucontext.h>
#include "truth.h"

enum { BLOCKS = 10, STACK = 256 << 10 };

static ucontext_t main_context, context;
static char *outer_page;

FRAME void leak_above_dropped(void)
{
	truth_require(madvise(outer_page, 8192, MADV_DONTNEED) == 0, "madvise");
	truth_keep(malloc(818));
	NO_TAIL_CALL();
}

FRAME void large_frame(void)
{
	volatile char room[5 * 4096];

	room[0] = 1;
	leak_above_dropped();
	room[1] = room[0];
}

static void outer(void)
{
	char here;

	outer_page = (char *)((size_t)&here & ~(size_t)4095);
	if (outer_page + 8192 > (char *)context.uc_stack.ss_sp + STACK)
		outer_page -= 4096;
	for (int i = 0; i < BLOCKS; i++)
		large_frame();
}

int main(void)
{
	int fd = memfd_create("stack", 0);

	truth_require(fd >= 0 && ftruncate(fd, STACK) == 0, "memfd");
	getcontext(&context);
	context.uc_stack.ss_sp = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	truth_require(context.uc_stack.ss_sp != MAP_FAILED, "mmap");
	context.uc_stack.ss_size = STACK;
	context.uc_link = &main_context;
	truth_ready();
	makecontext(&context, outer, 0);
	swapcontext(&main_context, &context);
	truth(BLOCKS * 818, BLOCKS, "leak_above_dropped");
	truth_done();
	return 0;
}
