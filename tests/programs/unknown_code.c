/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Allocates thousands of times below code that no tool knows: in anonymous memory that is mapped when the tool is attached already, and as compilers
 * at run time make it, without call frame information. With an argument there are 64 KiB on the stack above.
 */
#include <sys/mman.h>
#include "truth.h"

enum { BLOCKS = 3000, SIZE = 321 };

FRAME void leak_below(void)
{
	truth_keep(malloc(SIZE));
	NO_TAIL_CALL();
}

FRAME void call_all(void (*call)(void (*)(void)))
{
	for (int i = 0; i < BLOCKS; i++)
		call(leak_below);
	NO_TAIL_CALL();
}

FRAME void call_all_from_afar(void (*call)(void (*)(void)))
{
	char room[1 << 16];

	memset(room, 1, sizeof(room));
	__asm__ volatile("" : : "r"(room) : "memory");
	call_all(call);
	NO_TAIL_CALL();
}

int main(int argc, char **argv)
{
	/* sub $8, %rsp; call *%rdi; add $8, %rsp; ret */
	static const unsigned char code[] = {0x48, 0x83, 0xec, 0x08, 0xff, 0xd7,
					     0x48, 0x83, 0xc4, 0x08, 0xc3};
	void (*call)(void (*)(void));
	void *room;

	truth_ready();
	room = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	truth_require(room != MAP_FAILED, "room");
	memcpy(room, code, sizeof(code));
	call = (void (*)(void (*)(void)))room;
	(void)argv;
	(argc > 1 ? call_all_from_afar : call_all)(call);
	truth(BLOCKS * SIZE, BLOCKS, "leak_below");
	truth_done();
	return 0;
}
