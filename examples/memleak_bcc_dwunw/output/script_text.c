/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/script_text.h"

#include <inttypes.h>
#include <string.h>

#include "names.h"

void script_text(FILE *out, const char *text)
{
	size_t left = text ? strlen(text) : 0;

	if (!text) {
		fputs("null", out);
		return;
	}
	putc('"', out);
	while (left) {
		size_t n = name_character(text, left);

		if (!n)
			fprintf(out, "\\\\x%02x", (unsigned char)*text);
		else if (strchr("\"\\<>&", *text))
			fprintf(out, "\\u%04x", *text);
		else
			fwrite(text, 1, n, out);
		text += n ? n : 1;
		left -= n ? n : 1;
	}
	putc('"', out);
}

char script_digit(unsigned int value)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

	return digits[value & 63];
}

static void print_difference(FILE *out, int64_t difference)
{
	uint64_t rest = (uint64_t)difference << 1;

	if (difference < 0)
		rest = ~rest;
	do {
		putc(script_digit((rest & 31) | (rest > 31 ? 32 : 0)), out);
		rest >>= 5;
	} while (rest);
}

void script_column(FILE *out, const int64_t *numbers, size_t n)
{
	int64_t last = 0;
	size_t equal = 1;

	while (equal < n && numbers[equal] == numbers[0])
		equal++;
	if (equal >= n) {
		fprintf(out, "%" PRId64, n ? numbers[0] : 0);
		return;
	}
	putc('"', out);
	for (size_t i = 0; i < n; i++) {
		print_difference(out, (int64_t)((uint64_t)numbers[i] - (uint64_t)last));
		last = numbers[i];
	}
	putc('"', out);
}
