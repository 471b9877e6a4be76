/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two plugins of unload.c, from one text: their code is laid out alike, but each has names, sizes and frames of its own.
 * PLUGIN(NAME), SIZE (of a block), FRAME_BYTES (of the functions' local variables).
 */
#include <stdlib.h>
#include "truth.h"

void PLUGIN(leak)(void);
void PLUGIN(constructor_leak)(void);
void leak(void);

FRAME void PLUGIN(leak)(void)
{
	char frame[FRAME_BYTES];

	truth_keep(frame);
	truth_keep(malloc(SIZE));
	truth_keep(frame);
}

FRAME void PLUGIN(constructor_leak)(void)
{
	char frame[FRAME_BYTES + 100];

	truth_keep(frame);
	truth_keep(malloc(SIZE * 10 + SIZE / 100));
	truth_keep(malloc(SIZE * 10 + SIZE / 100));
	truth_keep(frame);
}

__attribute__((constructor)) static void constructor(void)
{
	PLUGIN(constructor_leak)();
	NO_TAIL_CALL();
}

__attribute__((aligned(64))) void leak(void)
{
	char frame[FRAME_BYTES + 200];

	truth_keep(frame);
	PLUGIN(leak)();
	truth_keep(frame);
}
