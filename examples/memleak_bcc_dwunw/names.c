/* SPDX-License-Identifier: BSD-2-Clause */
#include "names.h"

#include <stdint.h>
#include <string.h>

size_t utf8_decode(const unsigned char *s, size_t max, uint32_t *ret)
{
	size_t length = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	uint32_t code = s[0] & (0xff >> (length + 1));
	static const uint32_t least[] = {[2] = 0x80, [3] = 0x800, [4] = 0x10000};

	if (s[0] < 0xc2 || s[0] > 0xf4 || length > max)
		return 0;
	for (size_t i = 1; i < length; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	/* U+0080..U+009F: control characters; U+009B begins a terminal's escape sequences. */
	if (code < 0xa0)
		return 0;
	*ret = code;
	return length;
}

void print_name(FILE *out, const char *name, size_t max)
{
	const unsigned char *s = (const unsigned char *)name;
	size_t length = strnlen(name, max);
	uint32_t code;

	for (size_t i = 0; i < length;) {
		size_t plain = 0;

		while (i + plain < length && s[i + plain] >= 0x20 && s[i + plain] < 0x7f)
			plain++;
		if (!plain && s[i] >= 0x80)
			plain = utf8_decode(s + i, length - i, &code);
		if (!plain)
			fprintf(out, "\\x%02x", s[i]);
		fwrite(s + i, 1, plain, out);
		i += plain ? plain : 1;
	}
}
