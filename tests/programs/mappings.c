/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * More executable mappings than most programs have: the program's own file, a page at a time at 700 places, and, once a tool is attached,
 * half of them gone again, each with a hole in it.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include "truth.h"

enum { MAPPINGS = 700, PAGES = 3, BLOCKS = 10 };

FRAME void leak_among_mappings(void)
{
	truth_keep(malloc(444));
	NO_TAIL_CALL();
}

int main(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size = PAGES * page;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	char *room = mmap(NULL, MAPPINGS * 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int i;

	truth_require(fd >= 0 && room != MAP_FAILED, "room");
	for (i = 0; i < MAPPINGS; i++)
		truth_require(mmap(room + 2 * i * size, size, PROT_READ | PROT_EXEC,
				   MAP_PRIVATE | MAP_FIXED, fd, 0) != MAP_FAILED,
			      "mmap");
	truth_ready();
	for (i = 0; i < MAPPINGS; i++) {
		if (i % (MAPPINGS / BLOCKS) == 0)
			leak_among_mappings();
		if (i % 2)
			munmap(room + 2 * i * size + page, page);
	}
	truth(444 * BLOCKS, BLOCKS, "leak_among_mappings");
	truth_done();
	return 0;
}
