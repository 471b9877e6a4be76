/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef OUTPUT_GZIP_H
#define OUTPUT_GZIP_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Writes `n` bytes as a gzip file (RFC 1952), without a name and a time. -ENOMEM. */
int gzip_write(FILE *out, const uint8_t *bytes, size_t n);

#endif
