/* SPDX-License-Identifier: BSD-2-Clause */
/* Preloaded: makes the process one that is not dumpable, whose /proc/PID belongs to root. */
#include <sys/prctl.h>

__attribute__((constructor)) static void hide(void)
{
	prctl(PR_SET_DUMPABLE, 0);
}
