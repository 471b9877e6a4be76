/* SPDX-License-Identifier: BSD-2-Clause */
/* What the program storm and its plugins agree on. */
#ifndef STORM_H
#define STORM_H

enum { PLUGINS = 200, FIRST_PLUGIN = 1000 }; /* a plugin's number is the size of its block */

#endif
