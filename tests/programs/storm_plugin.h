/* SPDX-License-Identifier: BSD-2-Clause */
/* One plugin of storm.c: NUMBER, TEXT, the same as a string, and LEAK, the name of the function that calls the allocator. Frames and sizes of code differ. */
#include <stdlib.h>
#include "truth.h"

void LEAK(void);
void leak(void);

FRAME void LEAK(void)
{
	char frame[64 + 16 * (NUMBER * 7 % 200)];

	truth_keep(frame);
	truth_keep(malloc(NUMBER));
	truth_keep(frame);
}

/* bytes of code that differ */
__asm__(".space 64 * (" TEXT " - 999), 0x90");

void leak(void)
{
	char frame[64 + 16 * (NUMBER * 13 % 200)];

	truth_keep(frame);
	LEAK();
	truth_keep(frame);
}
