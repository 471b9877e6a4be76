/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * by_fp fresh|blind|deep|wrong: blocks whose stacks have frame pointers (see its flags in mk/tests.mk) and, between leak() and its caller, code that
 * call frame information does not lead through:
 *   fresh  code that is mapped a moment before, at another address each time, thousands of times: more than can be sent to be finished
 *   blind  the same, but it has no frame pointer, and uses that register for something else
 *   deep   few times, below many frames; the code stays mapped
 *   wrong  code whose call frame information is wrong
 */
#include <stdbool.h>
#include <sys/mman.h>
#include "truth.h"

enum { SIZE = 77, PAGES = 512, PAGE = 4096, MANY = 4000, AT_ONCE = 8, FEW = 20, DEPTH = 40 };

typedef void caller_fn(void (*function)(void));

/* push %rbp; mov %rsp, %rbp; call *%rdi; pop %rbp; ret */
static const unsigned char with_frame[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd7, 0x5d, 0xc3};
/* push %rbp; mov $1, %ebp; call *%rdi; pop %rbp; ret */
static const unsigned char without[] = {0x55, 0xbd, 1, 0, 0, 0, 0xff, 0xd7, 0x5d, 0xc3};

/* The CFA is 8 bytes below where it should be: the saved frame pointer is taken for the return address. */
caller_fn wrong_information;
__asm__(".text\n"
	".type wrong_information, @function\n"
	"wrong_information:\n"
	"	.cfi_startproc\n"
	"	push %rbp\n"
	"	mov %rsp, %rbp\n"
	"	call *%rdi\n"
	"	pop %rbp\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size wrong_information, . - wrong_information\n");

FRAME void leak(void)
{
	truth_keep(malloc(SIZE));
	NO_TAIL_CALL();
}

/* Through code on another page each time; it is there as long as it runs, or stays. */
FRAME void call_fresh(const unsigned char *code, size_t size, bool stays)
{
	static char *pages;
	static unsigned int next;
	char *page;

	if (!pages)
		pages = mmap(NULL, PAGES * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	truth_require(pages != MAP_FAILED, "pages");
	page = pages + next++ * 2 % PAGES * PAGE;
	mprotect(page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
	memcpy(page, code, size);
	((caller_fn *)(void *)page)(leak);
	if (!stays)
		mprotect(page, PAGE, PROT_NONE);
}

FRAME void call_deep(unsigned int depth)
{
	char room[64];

	__asm__ volatile("" : : "r"(room) : "memory");
	if (depth)
		call_deep(depth - 1);
	else
		call_fresh(with_frame, sizeof(with_frame), true);
	NO_TAIL_CALL();
}

/* With much that is copied with each stack. */
FRAME void call_from_afar(const unsigned char *code, size_t size)
{
	char room[1 << 16];

	memset(room, 1, sizeof(room));
	__asm__ volatile("" : : "r"(room) : "memory");
	call_fresh(code, size, false);
	NO_TAIL_CALL();
}

int main(int argc, char **argv)
{
	const char *how = argc == 2 ? argv[1] : "";
	int n = strcmp(how, "deep") == 0 || strcmp(how, "wrong") == 0 ? FEW : MANY;

	truth_ready();
	for (int i = 0; i < n; i++) {
		if (strcmp(how, "fresh") == 0)
			call_from_afar(with_frame, sizeof(with_frame));
		else if (strcmp(how, "blind") == 0)
			call_from_afar(without, sizeof(without));
		else if (strcmp(how, "deep") == 0)
			call_deep(DEPTH);
		else
			wrong_information(leak);
		if (n == MANY && i % AT_ONCE == 0) /* so that user space keeps up */
			usleep(1000);
	}
	truth((size_t)n * SIZE, (size_t)n, "leak");
	truth_done();
	return 0;
}
