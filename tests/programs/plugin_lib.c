/* SPDX-License-Identifier: BSD-2-Clause */
/* What plugin.c opens after the tool has attached: it leaks in its constructor, microseconds after being mapped, and when called. */
#include <stdlib.h>
#include "truth.h"

void plugin_leak(void);

FRAME void plugin_constructor_leak(void)
{
	int i;

	for (i = 0; i < 3; i++)
		truth_keep(malloc(1717));
	NO_TAIL_CALL();
}

__attribute__((constructor)) static void plugin_constructor(void)
{
	plugin_constructor_leak();
	NO_TAIL_CALL();
}

FRAME void plugin_leak(void)
{
	truth_keep(malloc(2323));
	NO_TAIL_CALL();
}
