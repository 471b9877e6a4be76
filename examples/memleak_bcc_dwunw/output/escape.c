/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/escape.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"

static const char digits[] = "0123456789abcdef";

char *escape_name(const char *name, const char *also)
{
	size_t length = strlen(name), n = 0;
	char *text = length < SIZE_MAX / 8 ? malloc(4 * length + 1) : NULL;

	for (size_t i = 0; text && i < length;) {
		size_t plain = name_character(name + i, length - i);

		if (name[i] == '\\') {
			text[n++] = '\\';
		} else if (!plain || strchr(also, name[i])) {
			const unsigned char byte = (unsigned char)name[i++];

			memcpy(text + n, "\\x", 2);
			text[n + 2] = digits[byte >> 4];
			text[n + 3] = digits[byte & 15];
			n += 4;
			continue;
		}
		memcpy(text + n, name + i, plain);
		n += plain;
		i += plain;
	}
	if (text)
		text[n] = '\0';
	return text;
}

static int digit_of(char c)
{
	const char *found = c ? strchr(digits, c) : NULL;

	return found ? (int)(found - digits) : -1;
}

/* The character at a backslash, and how many of the text it is; 0: none. */
static size_t unescape_one(const char *text, char *ret)
{
	int high, low;

	if (text[1] == '\\') {
		*ret = '\\';
		return 2;
	}
	high = text[1] == 'x' ? digit_of(text[2]) : -1;
	low = high < 0 ? -1 : digit_of(text[3]);
	if (low < 0 || (!high && !low))
		return 0;
	*ret = (char)(high << 4 | low);
	return 4;
}

int unescape_name(const char *text, char **ret)
{
	char *name = malloc(strlen(text) + 1), *next = name;

	if (!name)
		return -ENOMEM;
	while (*text) {
		size_t used = 1;

		if (*text != '\\')
			*next = *text;
		else
			used = unescape_one(text, next);
		if (!used) {
			free(name);
			return -EINVAL;
		}
		next++;
		text += used;
	}
	*next = '\0';
	*ret = name;
	return 0;
}
