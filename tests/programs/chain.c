/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A chain of calls with frames of different sizes: main, chain_1 .. chain_8, leaf_malloc: 10 frames of the program. A second, short way
 * to the same leaf (main, short_way, leaf_malloc) must be a stack of its own; the leaf's truth is their sum.
 */
#include "truth.h"

enum { LONG_BLOCKS = 100, SHORT_BLOCKS = 7, SIZE = 1001 };

/* volatile, so that the loops are not unrolled: one stack for each way. */
static volatile int long_blocks = LONG_BLOCKS, short_blocks = SHORT_BLOCKS;

FRAME void leaf_malloc(void)
{
	truth_keep(malloc(SIZE));
	NO_TAIL_CALL();
}

#define LINK(name, next, bytes)                                                                    \
	FRAME void name(void)                                                                      \
	{                                                                                          \
		volatile char frame[bytes];                                                        \
                                                                                                   \
		frame[0] = 1;                                                                      \
		next();                                                                            \
		frame[sizeof(frame) - 1] = 1;                                                      \
		NO_TAIL_CALL();                                                                    \
	}

LINK(chain_8, leaf_malloc, 8)
LINK(chain_7, chain_8, 24)
LINK(chain_6, chain_7, 300)
LINK(chain_5, chain_6, 1)
LINK(chain_4, chain_5, 5000)
LINK(chain_3, chain_4, 64)
LINK(chain_2, chain_3, 40000)
LINK(chain_1, chain_2, 16)
LINK(short_way, leaf_malloc, 128)

int main(void)
{
	int i;

	truth_ready();
	for (i = 0; i < long_blocks; i++)
		chain_1();
	for (i = 0; i < short_blocks; i++)
		short_way();
	truth((LONG_BLOCKS + SHORT_BLOCKS) * SIZE, LONG_BLOCKS + SHORT_BLOCKS, "leaf_malloc");
	truth_done();
	return 0;
}
