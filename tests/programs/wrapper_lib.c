/* SPDX-License-Identifier: BSD-2-Clause */
/* An allocation function that calls the C library's, for return probes on both; and on itself, so that several are pending. */
#include <stdlib.h>

/* `size` is also how often it calls itself; protected: itself, and not the C library's function of that name. */
__attribute__((visibility("protected"))) void *calloc(size_t count, size_t size)
{
	void *(*self)(size_t, size_t) = calloc;
	void *block;

	__asm__ volatile("" : "+r"(self)); /* a real call, which the optimizer cannot see through */
	block = size > 1 ? self(count, size - 1) : malloc(count);
	__asm__ volatile("" : "+r"(block) : : "memory");
	return block;
}
