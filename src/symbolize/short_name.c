/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolize/short_name.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PLAIN 80

/* FNV-1a, 32 bits: draft-eastlake-fnv */
static uint32_t hash_of(const char *text)
{
	uint32_t hash = 0x811c9dc5;

	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * 0x01000193;
	return hash;
}

static bool is_word(char c)
{
	return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z');
}

/* Length of an operator whose own characters are brackets: operator<, operator->, operator(), ... 0: none is at `p`. */
static size_t operator_length(const char *name, const char *p)
{
	static const char word[] = "operator";
	size_t size = sizeof(word) - 1;

	if (strncmp(p, word, size) != 0 || (p > name && is_word(p[-1])) || is_word(p[size]))
		return 0;
	if (strncmp(p + size, "()", 2) == 0)
		return size + 2;
	return size + strspn(p + size, "<>=-");
}

/* Rust begins names with '<', C++ has "(anonymous namespace)": what is in these is the name. */
static bool is_dropped(const char *name, const char *p)
{
	if (*p == '<')
		return p > name && p[-1] != ' ' && p[-1] != '(';
	return *p == '(' && strncmp(p, "(anonymous ", 11) != 0;
}

/* Behind the bracket that closes the one at `p`; NULL: none does. */
static const char *skip_brackets(const char *name, const char *p)
{
	unsigned int depth = 0;

	do {
		size_t size = operator_length(name, p);

		if (size) {
			p += size;
			continue;
		}
		if (*p == '<' || *p == '(' || *p == '[' || *p == '{')
			depth++;
		else if ((*p == '>' && p > name && p[-1] != '-') || *p == ')' || *p == ']' ||
			 *p == '}')
			depth--;
		p++;
	} while (depth && *p);
	return depth ? NULL : p;
}

/* `ret` has room for `name`. */
static void drop_brackets(const char *name, char *ret)
{
	const char *end;

	for (const char *p = name; *p;) {
		size_t own = operator_length(name, p);

		if (!own && is_dropped(name, p) && (end = skip_brackets(name, p)) && end - p > 4) {
			*ret++ = *p;
			*ret++ = '.';
			*ret++ = '.';
			*ret++ = end[-1];
			p = end;
			continue;
		}
		own = own ? own : 1;
		memcpy(ret, p, own);
		ret += own;
		p += own;
	}
	*ret = '\0';
}

char *brief_name(const char *name)
{
	char *ret = malloc(strlen(name) + 1);

	if (ret)
		drop_brackets(name, ret);
	return ret;
}

char *short_name(const char *name)
{
	size_t size = strlen(name), n;
	char *ret = malloc(size + sizeof("#12345678") + 1);

	if (!ret || size <= MAX_PLAIN)
		return ret ? strcpy(ret, name) : NULL;
	drop_brackets(name, ret);
	n = strlen(ret);
	if (n < size)
		sprintf(ret + n, "#%08x", hash_of(name));
	return ret;
}
