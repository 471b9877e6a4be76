/* SPDX-License-Identifier: BSD-2-Clause */
/* One of the two plugins of unload.c: small frames. */
#define PLUGIN(name) first_##name
#define SIZE 111
#define FRAME_BYTES 136
#include "unload.h"
