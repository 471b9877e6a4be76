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

size_t name_character(const char *name, size_t max)
{
	const unsigned char *s = (const unsigned char *)name;
	uint32_t code;

	if (s[0] >= 0x20 && s[0] < 0x7f)
		return 1;
	return s[0] < 0x80 ? 0 : utf8_decode(s, max, &code);
}

void print_name(FILE *out, const char *name, size_t max)
{
	size_t length = strnlen(name, max);

	for (size_t i = 0; i < length;) {
		size_t plain = 0, more;

		while (i + plain < length &&
		       (more = name_character(name + i + plain, length - i - plain)))
			plain += more;
		if (!plain)
			fprintf(out, "\\x%02x", (unsigned char)name[i]);
		fwrite(name + i, 1, plain, out);
		i += plain ? plain : 1;
	}
}
