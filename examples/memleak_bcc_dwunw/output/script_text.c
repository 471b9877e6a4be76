/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/script_text.h"

#include <inttypes.h>
#include <stdbool.h>

#define REPLACEMENT 0xfffd

/* One character of UTF-8, and how many bytes it has; of what is none, the first byte is U+FFFD. */
static uint32_t decode(const char *text, size_t *ret)
{
	const uint8_t *c = (const uint8_t *)text;
	size_t n = c[0] < 0x80	 ? 1
		   : c[0] < 0xc2 ? 0
		   : c[0] < 0xe0 ? 2
		   : c[0] < 0xf0 ? 3
		   : c[0] < 0xf5 ? 4
				 : 0;
	uint32_t code = n <= 1 ? c[0] : c[0] & (0x7fu >> n);

	*ret = n ? n : 1;
	for (size_t i = 1; i < n; i++) {
		if ((c[i] & 0xc0) != 0x80) { /* the text's end too */
			*ret = 1;
			return REPLACEMENT;
		}
		code = code << 6 | (c[i] & 0x3f);
	}
	/* too long a form, half of a pair, past the last */
	if (n == 0 || (n == 3 && code < 0x800) || (n == 4 && code < 0x10000) || code > 0x10ffff ||
	    (code >= 0xd800 && code <= 0xdfff)) {
		*ret = 1;
		return REPLACEMENT;
	}
	return code;
}

static bool is_plain(uint32_t code)
{
	return code >= 0x20 && code < 0x7f && code != '"' && code != '\\' && code != '<' &&
	       code != '>' && code != '&';
}

void script_text(FILE *out, const char *text)
{
	size_t n;

	if (!text) {
		fputs("null", out);
		return;
	}
	putc('"', out);
	for (; *text; text += n) {
		uint32_t code = decode(text, &n);

		if (is_plain(code))
			putc((int)code, out);
		else if (code == '"' || code == '\\')
			fprintf(out, "\\%c", (char)code);
		else if (code < 0x10000)
			fprintf(out, "\\u%04" PRIx32, code);
		else /* a pair: UTF-16 */
			fprintf(out, "\\u%04" PRIx32 "\\u%04" PRIx32,
				0xd800 + ((code - 0x10000) >> 10), 0xdc00 + (code & 0x3ff));
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
