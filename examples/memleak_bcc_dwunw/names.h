/* SPDX-License-Identifier: BSD-2-Clause */
/* Names that are the target's, for a terminal that must not obey them. */
#ifndef NAMES_H
#define NAMES_H

#include <stddef.h>
#include <stdio.h>

/* At most `max` bytes of `name`; control characters and bytes that are not UTF-8 are printed as \xNN. */
void print_name(FILE *out, const char *name, size_t max);

#endif
