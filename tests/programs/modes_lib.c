/* SPDX-License-Identifier: BSD-2-Clause */
/* Code without call frame information, for modes.c: see its flags in mk/tests.mk. */
#include "truth.h"

FRAME void above(void (*function)(void))
{
	function();
	NO_TAIL_CALL();
}
