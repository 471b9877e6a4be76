/* SPDX-License-Identifier: BSD-2-Clause */
/* The output of `readelf --debug-dump=frames-interp` (binutils) as rows in the form of `dwunw cfi`. */
#ifndef READELF_H
#define READELF_H

#include <stdbool.h>
#include <stdio.h>

#define READELF_MAX_ROW 4096

struct readelf;

struct readelf *readelf_create(FILE *output);
void readelf_destroy(struct readelf *readelf);

/* false: no more; `row` is then empty. Columns that say "u" are left out. */
bool readelf_next_row(struct readelf *readelf, char row[READELF_MAX_ROW]);

#endif
