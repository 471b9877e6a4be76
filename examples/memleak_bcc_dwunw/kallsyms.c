/* SPDX-License-Identifier: BSD-2-Clause */
#include "kallsyms.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LINE 1024	    /* longer than KSYM_NAME_LEN (512) and what stands beside it */
#define MAX_TEXT (1U << 30) /* bytes of names; the kernel has some 5 MB */
#define NO_MODULE UINT32_MAX

struct function {
	uint64_t addr;
	uint32_t name, module; /* offsets in the text */
};

struct kallsyms {
	struct function *functions;
	size_t n_functions, size;
	char *text;
	size_t used, text_size;
	uint32_t module; /* the last one seen: a module's lines follow each other */
};

static int add_text(struct kallsyms *symbols, const char *text, size_t length, uint32_t *ret)
{
	if (symbols->used + length + 1 > symbols->text_size) {
		size_t larger = 2 * (symbols->text_size + length + 1);
		char *moved = larger <= MAX_TEXT ? realloc(symbols->text, larger) : NULL;

		if (!moved)
			return -ENOMEM;
		symbols->text = moved;
		symbols->text_size = larger;
	}
	*ret = (uint32_t)symbols->used;
	memcpy(symbols->text + symbols->used, text, length);
	symbols->text[symbols->used + length] = '\0';
	symbols->used += length + 1;
	return 0;
}

static int add_module(struct kallsyms *symbols, const char *name, size_t length, uint32_t *ret)
{
	const char *last = symbols->module == NO_MODULE ? NULL : symbols->text + symbols->module;

	if (length == 0) {
		*ret = NO_MODULE;
		return 0;
	}
	if (!last || strlen(last) != length || memcmp(last, name, length) != 0) {
		int err = add_text(symbols, name, length, &symbols->module);

		if (err)
			return err;
	}
	*ret = symbols->module;
	return 0;
}

static int add_function(struct kallsyms *symbols, uint64_t addr, const char *name, size_t length,
			const char *module, size_t module_length)
{
	struct function *function;
	int err;

	if (symbols->n_functions == symbols->size) {
		size_t larger = symbols->size ? 2 * symbols->size : 65536;
		void *moved = reallocarray(symbols->functions, larger, sizeof(*function));

		if (!moved)
			return -ENOMEM;
		symbols->functions = moved;
		symbols->size = larger;
	}
	function = &symbols->functions[symbols->n_functions];
	function->addr = addr;
	err = add_text(symbols, name, length, &function->name);
	if (!err)
		err = add_module(symbols, module, module_length, &function->module);
	symbols->n_functions += !err;
	return err;
}

/* A line without its newline. *is_function also where the address is hidden, which is 0 then. */
static int add_line(struct kallsyms *symbols, const char *line, bool *is_function)
{
	char *end;
	uint64_t addr;
	size_t length, module_length = 0;
	const char *name, *module;

	*is_function = false;
	if (*line == ' ' || *line == '-' || *line == '+')
		return 0;
	addr = strtoull(line, &end, 16);
	/* functions: of the text section, weak ones */
	if (end == line || end[0] != ' ' || end[1] == '\0' || !strchr("tTwW", end[1]) ||
	    end[2] != ' ')
		return 0;
	name = end + 3;
	length = strcspn(name, " \t");
	module = name + length + strspn(name + length, " \t");
	if (*module == '[') {
		module++;
		module_length = strcspn(module, "]");
	}
	*is_function = length > 0;
	return length && addr ? add_function(symbols, addr, name, length, module, module_length)
			      : 0;
}

/* By address; of several names of one function the kernel's own choice comes first in its list. */
static int compare_functions(const void *left, const void *right)
{
	const struct function *a = left, *b = right;

	if (a->addr != b->addr)
		return a->addr < b->addr ? -1 : 1;
	return a->name < b->name ? -1 : a->name > b->name;
}

int kallsyms_read(FILE *file, struct kallsyms **ret)
{
	struct kallsyms *symbols = calloc(1, sizeof(*symbols));
	bool is_function, any = false, whole = true;
	char line[MAX_LINE];
	int err = symbols ? 0 : -ENOMEM;

	if (symbols)
		symbols->module = NO_MODULE;
	while (!err && fgets(line, sizeof(line), file)) {
		size_t length = strcspn(line, "\n");
		bool starts_line = whole;

		whole = line[length] == '\n';
		line[length] = '\0';
		if (!starts_line || (!whole && !feof(file))) /* too long for one */
			continue;
		err = add_line(symbols, line, &is_function);
		any |= is_function;
	}
	if (!err && ferror(file))
		err = -EIO;
	if (!err && any && symbols->n_functions == 0)
		err = -EACCES;
	if (err) {
		kallsyms_destroy(symbols);
		return err;
	}
	if (symbols->n_functions)
		qsort(symbols->functions, symbols->n_functions, sizeof(*symbols->functions),
		      compare_functions);
	*ret = symbols;
	return 0;
}

void kallsyms_destroy(struct kallsyms *symbols)
{
	if (!symbols)
		return;
	free(symbols->functions);
	free(symbols->text);
	free(symbols);
}

void kallsyms_find(const struct kallsyms *symbols, uint64_t addr, struct symbol *ret)
{
	const struct function *function;
	size_t low = 0, high = symbols->n_functions;

	*ret = (struct symbol){};
	while (low < high) { /* the first that begins at addr or behind it */
		size_t middle = low + (high - low) / 2;

		if (symbols->functions[middle].addr < addr)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return;
	function = &symbols->functions[low - 1];
	while (function > symbols->functions && function[-1].addr == function->addr)
		function--;
	ret->name = symbols->text + function->name;
	ret->offset = addr - function->addr;
	if (function->module != NO_MODULE)
		ret->module = symbols->text + function->module;
}

/* kernel/trace/bpf_trace.c, include/trace/bpf_probe.h, include/linux/tracepoint.h */
static bool is_of_tracepoint(const char *name)
{
	static const char *const prefixes[] = {"bpf_trace_run", "__bpf_trace_", "__traceiter_"};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	}
	return false;
}

size_t kallsyms_probe_frames(const struct kallsyms *symbols, const uint64_t *pcs, size_t n)
{
	size_t last = 0;

	/* the program comes first, which may have no name; each of the others is there once at most */
	for (size_t i = 0; i < n && i < 4; i++) {
		struct symbol symbol;

		kallsyms_find(symbols, pcs[i], &symbol);
		if (symbol.name && is_of_tracepoint(symbol.name))
			last = i + 1;
	}
	return last;
}
