/* SPDX-License-Identifier: BSD-2-Clause */
/* One of the two plugins of unload.c: large frames. */
#define PLUGIN(name) second_##name
#define SIZE 222
#define FRAME_BYTES 5000
#include "unload.h"
