/* SPDX-License-Identifier: BSD-2-Clause */
/* The aligned family. A failing posix_memalign leaves the pointer as it was: here at a live block, which must not be counted twice. */
#include <errno.h>
#include <malloc.h>
#include "truth.h"

static volatile size_t bad_alignment = 3, huge = (size_t)1 << 62;

FRAME void *leak_posix_memalign(void)
{
	void *block = NULL;
	int i;

	for (i = 0; i < 20; i++) {
		truth_require(!posix_memalign(&block, 64, 1500), "posix_memalign");
		truth_keep(block);
	}
	return block;
}

FRAME void failing_posix_memalign(void *live)
{
	void *block = live;

	truth_require(posix_memalign(&block, bad_alignment, 100) == EINVAL,
		      "a bad alignment passed");
	truth_require(posix_memalign(&block, 64, huge) == ENOMEM,
		      "a huge posix_memalign succeeded");
	truth_require(truth_keep(block) == live, "posix_memalign changed the pointer");
}

FRAME void leak_memalign(void)
{
	truth_keep(memalign(256, 3000));
	NO_TAIL_CALL();
}

FRAME void leak_aligned_alloc(void)
{
	truth_keep(aligned_alloc(128, 1280));
	NO_TAIL_CALL();
}

FRAME void leak_valloc(void)
{
	truth_keep(valloc(5000));
	NO_TAIL_CALL();
}

/* pvalloc rounds up to pages: a whole number of them, so that asked for and given are the same. */
FRAME void leak_pvalloc(void)
{
	truth_keep(pvalloc(2 * sysconf(_SC_PAGESIZE)));
	NO_TAIL_CALL();
}

FRAME void leak_reallocarray(void)
{
	truth_keep(reallocarray(NULL, 7, 311));
	NO_TAIL_CALL();
}

FRAME void freed_aligned(void)
{
	void *block = NULL;

	truth_require(!posix_memalign(&block, 4096, 12345), "posix_memalign");
	free(truth_keep(block));
	free(truth_keep(memalign(64, 777)));
	free(truth_keep(aligned_alloc(64, 640)));
	NO_TAIL_CALL();
}

int main(void)
{
	truth_ready();
	failing_posix_memalign(leak_posix_memalign());
	leak_memalign();
	leak_aligned_alloc();
	leak_valloc();
	leak_pvalloc();
	leak_reallocarray();
	freed_aligned();
	truth(20 * 1500, 20, "leak_posix_memalign");
	truth(0, 0, "failing_posix_memalign");
	truth(3000, 1, "leak_memalign");
	truth(1280, 1, "leak_aligned_alloc");
	truth(5000, 1, "leak_valloc");
	truth(2 * sysconf(_SC_PAGESIZE), 1, "leak_pvalloc");
	truth(7 * 311, 1, "leak_reallocarray");
	truth(0, 0, "freed_aligned");
	truth_done();
	return 0;
}
