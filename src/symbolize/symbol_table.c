/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <elf.h>

#include "elf/elf_functions.h"
#include "symbolize/symbol_table.h"

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

/* A function to be sorted. */
struct sort_entry {
	uint64_t start;
	size_t index;
};

/*
 * By start: one counting pass for each byte in which the starts differ, which for the 100,000 functions of a large file takes a tenth of
 * what comparing takes. `spare` is as large as `entries`; returns the one of the two that holds the result.
 */
static struct sort_entry *sort(struct sort_entry *entries, struct sort_entry *spare, size_t n)
{
	struct sort_entry *from = entries, *to = spare, *swap;
	uint64_t differ = 0;

	for (size_t i = 1; i < n; i++)
		differ |= entries[i].start ^ entries[0].start;
	for (unsigned int shift = 0; shift < 64; shift += 8) {
		size_t next[257] = {0};

		if (!(differ >> shift & 0xff))
			continue;
		for (size_t i = 0; i < n; i++)
			next[(from[i].start >> shift & 0xff) + 1]++;
		for (size_t digit = 0; digit < 256; digit++)
			next[digit + 1] += next[digit];
		for (size_t i = 0; i < n; i++)
			to[next[from[i].start >> shift & 0xff]++] = from[i];
		swap = from;
		from = to;
		to = swap;
	}
	return from;
}

static bool is_better(const struct function *f, const struct function *g)
{
	return f->rank != g->rank ? f->rank > g->rank : strcmp(f->raw, g->raw) < 0;
}

/* Bounds what was guessed by the next one. What has ended before a function starts holds nothing behind that start either. */
static void set_around(struct function *functions, size_t n)
{
	size_t around = SIZE_MAX;

	for (size_t i = 0; i < n; i++) {
		struct function *f = &functions[i];

		if (!f->sized && i + 1 < n && f[1].start < f->end)
			f->end = f[1].start;
		while (around != SIZE_MAX && functions[around].end <= f->start)
			around = functions[around].around;
		f->around = around;
		around = i;
	}
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

int symbol_table_finish(struct symbol_table *table)
{
	struct sort_entry *entries = calloc(2 * table->n + 1, sizeof(*entries)), *sorted;
	struct function *functions = calloc(table->n + 1, sizeof(*functions));
	size_t n = 0;

	if (!entries || !functions) {
		free(entries);
		free(functions);
		return -ENOMEM;
	}
	for (size_t i = 0; i < table->n; i++)
		entries[i] = (struct sort_entry){table->functions[i].start, i};
	sorted = sort(entries, entries + table->n, table->n);
	for (size_t i = 0; i < table->n; i++) {
		const struct function *f = &table->functions[sorted[i].index];

		if (n == 0 || functions[n - 1].start != f->start)
			functions[n++] = *f;
		else if (is_better(f, &functions[n - 1]))
			functions[n - 1] = *f;
	}
	free(entries);
	free(table->functions);
	set_around(functions, n);
	table->functions = functions;
	table->n = table->size = n;
	return 0;
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
	for (size_t i = low ? low - 1 : SIZE_MAX; i != SIZE_MAX; i = table->functions[i].around) {
		struct function *f = &table->functions[i];

		if (f->end > vaddr && f->sized)
			return f;
		if (f->end > vaddr && !guess)
			guess = f;
	}
	return guess;
}
