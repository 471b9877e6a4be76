/* SPDX-License-Identifier: BSD-2-Clause */
/* Names that are the target's, for a terminal that must not obey them. */
#ifndef NAMES_H
#define NAMES_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Bytes of the character at `name`, of at most `max` >= 1 bytes; 0: a control character, or no UTF-8 (RFC 3629). */
size_t name_character(const char *name, size_t max);

/* At most `max` bytes of `name`; control characters and bytes that are not UTF-8 are printed as \xNN. */
void print_name(FILE *out, const char *name, size_t max);

/*
 * The character of two bytes or more at `s`, of which `max` are there (RFC 3629): its length; 0: there is none, or it is a control
 * character.
 */
size_t utf8_decode(const unsigned char *s, size_t max, uint32_t *ret);

#endif
