/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <demangle.h>
#include "symbolize/demangle.h"

/* Back references let 60 characters stand for gigabytes; nobody reads a name longer than this either. */
#define MAX_NAME 8192
#define MAX_D 1024
#define MAX_D_REFERENCES 16 /* then at most 400 times */

struct output {
	jmp_buf too_long;
	size_t size;
	char text[MAX_NAME];
};

/* The demanglers cannot be told to stop; what they hold is on their stack, so leaving them is safe. */
static void collect(const char *text, size_t size, void *arg)
{
	struct output *out = arg;

	if (size >= sizeof(out->text) - out->size)
		longjmp(out->too_long, 1);
	memcpy(out->text + out->size, text, size);
	out->size += size;
}

typedef int demangler_fn(const char *mangled, int options, demangle_callbackref fn, void *arg);

static char *run(demangler_fn *demangler, const char *raw)
{
	struct output *out = malloc(sizeof(*out));
	char *ret = NULL;

	if (!out)
		return NULL;
	out->size = 0;
	if (setjmp(out->too_long) == 0 &&
	    demangler(raw, DMGL_PARAMS | DMGL_ANSI, collect, out) == 1 && out->size > 0) {
		out->text[out->size] = '\0';
		ret = strdup(out->text);
	}
	free(out);
	return ret;
}

/*
 * This demangler keeps all in memory, and in D too names grow by references to what came before ('Q'): with n of them e^(n/e) times at most.
 */
static char *demangle_d(const char *raw)
{
	unsigned int references = 0;
	size_t size = strlen(raw);
	char *name;

	for (size_t i = 0; i < size; i++)
		references += raw[i] == 'Q';
	if (size > MAX_D || references > MAX_D_REFERENCES)
		return NULL;
	name = dlang_demangle(raw, DMGL_PARAMS);
	if (name && strlen(name) < MAX_NAME)
		return name;
	free(name);
	return NULL;
}

char *demangle(const char *raw)
{
	size_t size = strcspn(raw, "@");
	char *plain = strndup(raw, size), *name = NULL;

	if (!plain)
		return NULL;
	/* Rust first: its legacy names are valid C++ ones with a hash as the last part. */
	if (strncmp(plain, "_Z", 2) == 0 || strncmp(plain, "_R", 2) == 0)
		name = run(rust_demangle_callback, plain);
	if (!name && strncmp(plain, "_Z", 2) == 0)
		name = run(cplus_demangle_v3_callback, plain);
	if (!name && strncmp(plain, "_D", 2) == 0)
		name = demangle_d(plain);
	if (!name)
		return plain;
	free(plain);
	return name;
}
