/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers in a few columns. Results are in `ret`, which is returned. */
#ifndef TUI_FORMAT_H
#define TUI_FORMAT_H

#include <stdint.h>

#define FORMAT_SIZE 32

/* "0 B", "999 B", "1.0 KiB" ... "16.0 EiB": at most 9 columns. */
const char *format_bytes(uint64_t bytes, char ret[FORMAT_SIZE]);
/* With its sign, "+1.2 MiB": at most 10 columns. */
const char *format_growth(double bytes, char ret[FORMAT_SIZE]);
/* "99999", "100k", "1.23M": at most 6 columns. */
const char *format_count(uint64_t n, char ret[FORMAT_SIZE]);
/* "1,234,567": at most 26 columns. */
const char *format_exact(uint64_t n, char ret[FORMAT_SIZE]);
/* "0s", "59s", "3m20s", "1h02m", "5d03h", "999d": at most 7 columns. */
const char *format_age(uint64_t ns, char ret[FORMAT_SIZE]);

#endif
