/* SPDX-License-Identifier: BSD-2-Clause */
/* Where in the functions of an allocator the probes are, in words. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allocator.h"
#include "symbolize/demangle.h"

static bool is_hot(const struct allocator *allocator, size_t i)
{
	switch ((enum memleak_function)allocator->probes[i].cookie) {
	case MEMLEAK_MALLOC:
	case MEMLEAK_CALLOC:
	case MEMLEAK_REALLOC:
	case MEMLEAK_FREE:
	case MEMLEAK_NEW:
		return true;
	default:
		return false;
	}
}

static void append(char *ret, size_t size, const char *between, const char *what)
{
	size_t used = strlen(ret);

	snprintf(ret + used, size - used, "%s%s", used ? between : "", what);
}

static bool has_gates(const struct allocator *allocator)
{
	for (size_t i = 0; i < allocator->n_probes; i++)
		if (allocator->roles[i] == ALLOCATOR_NEW_GATE)
			return true;
	return false;
}

/* "malloc +0", "operator new +7", "operator new before its return", "operator new's return"; with gates: "some of operator new's returns" */
static void describe(const struct allocator *allocator, size_t i, char *ret, size_t size)
{
	char *name = demangle(allocator->names[i]);
	int length = name ? (int)strcspn(name, "(") : 0;

	if (allocator->roles[i] == ALLOCATOR_NEW_GATE)
		snprintf(ret, size, "%.*s before its return", length, name ? name : "");
	else if (allocator->roles[i] == ALLOCATOR_NEW_RETURN && has_gates(allocator))
		snprintf(ret, size, "some of %.*s's returns", length, name ? name : "");
	else if (allocator->roles[i] == ALLOCATOR_NEW_RETURN)
		snprintf(ret, size, "%.*s's return", length, name ? name : "");
	else
		snprintf(ret, size, "%.*s +%" PRIu64, length, name ? name : "",
			 allocator->places[i].offset);
	free(name);
}

/* Two operators new have one name. */
static bool is_repeated(const struct allocator *allocator, size_t i, const char *text)
{
	char before[128];

	for (size_t j = 0; j < i; j++) {
		describe(allocator, j, before, sizeof(before));
		if (strcmp(before, text) == 0)
			return true;
	}
	return false;
}

/* Those that are emulated, or that are not, each once; whether there are any. */
static bool append_places(const struct allocator *allocator, bool emulated, bool hot_only,
			  char *ret, size_t size)
{
	size_t begin = strlen(ret);
	const char *between = "; ";

	for (size_t i = 0; i < allocator->n_probes; i++) {
		char text[128];

		if (allocator->places[i].emulated != emulated ||
		    (hot_only && !is_hot(allocator, i)))
			continue;
		describe(allocator, i, text, sizeof(text));
		if (is_repeated(allocator, i, text))
			continue;
		append(ret, size, between, text);
		between = ", ";
	}
	return ret[begin] != '\0';
}

void allocator_describe_places(const struct allocator *allocator, bool hot_only, char *ret,
			       size_t size)
{
	ret[0] = '\0';
	if (!hot_only && append_places(allocator, true, false, ret, size))
		append(ret, size, ", ", "emulated");
	if (append_places(allocator, false, hot_only, ret, size))
		append(ret, size, ", ", "single-stepped");
}
