/* SPDX-License-Identifier: BSD-2-Clause */
/* Values as JSON that can stand inside <script>. Pure. */
#ifndef OUTPUT_SCRIPT_TEXT_H
#define OUTPUT_SCRIPT_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * A string in quotes, of what print_name() prints: control characters and bytes that are not UTF-8 are \xNN in it. Without `<`, `>` and `&`,
 * so that no text ends the script or opens a comment. NULL: null.
 */
void script_text(FILE *out, const char *text);

/*
 * A column of numbers: one number if all are equal, else a string of the differences, each from the number before, the first from 0.
 * A difference d is 2d, or -2d - 1 where it is negative; of this 5 bits a character, the lowest first, plus 32 where more follow;
 * characters are those of base64url (RFC 4648, 5). As source maps have it, but for the sign and the alphabet.
 */
void script_column(FILE *out, const int64_t *numbers, size_t n);

/* 0 to 63 -> a character of the same alphabet. */
char script_digit(unsigned int value);

#endif
