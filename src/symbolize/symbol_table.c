/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <elf.h>

#include "elf/elf_functions.h"
#include "symbolize/symbol_table.h"

/* A lookup goes back over functions that lie inside others (labels with a size); real ones nest two deep. */
#define MAX_NESTING 64

/* Mapping symbols of ARM and RISC-V ("$x"), and labels that the assembler was told to keep. */
static bool is_label(const char *name)
{
	return name[0] == '$' || strncmp(name, ".L", 2) == 0;
}

/* write, not __write: sized before unsized, functions before labels, exported before local, fewest underscores, global before weak. */
static uint8_t rank_of(const struct elf_function *function)
{
	size_t underscores = strspn(function->name, "_");
	uint8_t rank = 0;

	if (function->size > 0)
		rank |= 64;
	if (function->type != STT_NOTYPE)
		rank |= 32;
	if (function->bind != STB_LOCAL)
		rank |= 16;
	if (function->bind != STB_WEAK)
		rank |= 1;
	return (uint8_t)(rank | (underscores < 7 ? 7 - underscores : 0) << 1);
}

struct adding {
	struct symbol_table *table;
	uint8_t source;
	bool stubs;
};

static int add(const struct elf_function *from, void *arg)
{
	const struct adding *adding = arg;
	struct symbol_table *table = adding->table;
	/* A symbol without a size reaches to the end of its section at most. */
	uint64_t size = from->size ? from->size : from->rest;

	if ((from->type == STT_NOTYPE && is_label(from->name)) || size == 0 ||
	    from->vaddr + size < from->vaddr)
		return 0;
	if (table->n == table->size) {
		size_t larger = table->size ? 2 * table->size : 256;
		struct function *moved =
			reallocarray(table->functions, larger, sizeof(*table->functions));

		if (!moved)
			return -ENOMEM;
		table->functions = moved;
		table->size = larger;
	}
	table->functions[table->n++] = (struct function){
		.start = from->vaddr,
		.end = from->vaddr + size,
		.raw = from->name,
		.rank = adding->stubs ? 0 : rank_of(from),
		.source = adding->source,
		.sized = from->size > 0,
		.is_stub = adding->stubs,
	};
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct function *f = a, *g = b;

	if (f->start != g->start)
		return f->start < g->start ? -1 : 1;
	if (f->rank != g->rank)
		return f->rank > g->rank ? -1 : 1;
	return strcmp(f->raw, g->raw);
}

/* Leaves the best name for each start, and bounds what was guessed by the next one. */
static size_t finish(struct function *functions, size_t n)
{
	uint64_t reach = 0;
	size_t out = 0;

	qsort(functions, n, sizeof(*functions), compare);
	for (size_t i = 0; i < n; i++)
		if (out == 0 || functions[out - 1].start != functions[i].start)
			functions[out++] = functions[i];
	for (size_t i = 0; i < out; i++) {
		struct function *f = &functions[i];

		if (!f->sized && i + 1 < out && f[1].start < f->end)
			f->end = f[1].start;
		if (f->end > reach)
			reach = f->end;
		f->reach = reach;
	}
	return out;
}

int symbol_table_add(struct symbol_table *table, struct elf_file *file, uint32_t type,
		     uint8_t source)
{
	struct adding adding = {table, source, false};

	return elf_file_each_function(file, type, add, &adding);
}

int symbol_table_add_stubs(struct symbol_table *table, struct elf_file *file, uint8_t source)
{
	struct adding adding = {table, source, true};

	return elf_file_each_stub(file, add, &adding);
}

void symbol_table_finish(struct symbol_table *table)
{
	struct function *fitted;

	if (!table->n)
		return;
	table->n = finish(table->functions, table->n);
	fitted = reallocarray(table->functions, table->n, sizeof(*table->functions));
	if (fitted)
		table->functions = fitted;
	table->size = table->n;
}

void symbol_table_free(struct symbol_table *table)
{
	free(table->functions);
	*table = (struct symbol_table){0};
}

struct function *symbol_table_find(const struct symbol_table *table, uint64_t vaddr)
{
	struct function *guess = NULL;
	size_t low = 0, high = table->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (table->functions[mid].start <= vaddr)
			low = mid + 1;
		else
			high = mid;
	}
	for (size_t i = low; i > 0 && low - i < MAX_NESTING; i--) {
		struct function *f = &table->functions[i - 1];

		if (f->reach <= vaddr)
			break;
		if (f->end > vaddr && f->sized)
			return f;
		if (f->end > vaddr && !guess)
			guess = f;
	}
	return guess;
}
