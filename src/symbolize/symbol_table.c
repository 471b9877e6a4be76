/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "symbolize/symbol_table.h"

/* A lookup goes back over functions that lie inside others (labels with a size); real ones nest two deep. */
#define MAX_NESTING 64

/* Mapping symbols of ARM and RISC-V ("$x"), and labels that the assembler was told to keep. */
static bool is_label(const char *name)
{
	return name[0] == '$' || strncmp(name, ".L", 2) == 0;
}

/* write, not __write: sized before unsized, functions before labels, exported before local, fewest underscores, global before weak. */
static uint8_t rank_of(const GElf_Sym *sym, const char *name)
{
	unsigned int bind = GELF_ST_BIND(sym->st_info);
	size_t underscores = strspn(name, "_");
	uint8_t rank = 0;

	if (sym->st_size > 0)
		rank |= 64;
	if (GELF_ST_TYPE(sym->st_info) != STT_NOTYPE)
		rank |= 32;
	if (bind != STB_LOCAL)
		rank |= 16;
	if (bind != STB_WEAK)
		rank |= 1;
	return rank | (underscores < 7 ? 7 - underscores : 0) << 1;
}

/* A symbol without a size reaches to the end of its section at most. */
static uint64_t section_size_after(Elf *elf, GElf_Word index, uint64_t value)
{
	GElf_Shdr shdr;
	Elf_Scn *scn = elf_getscn(elf, index);

	if (!scn || !gelf_getshdr(scn, &shdr) || value < shdr.sh_addr ||
	    value - shdr.sh_addr >= shdr.sh_size)
		return 0;
	return shdr.sh_size - (value - shdr.sh_addr);
}

static bool function_from_symbol(Dwfl_Module *module, int index, uint64_t bias,
				 struct function *ret)
{
	GElf_Word section = SHN_UNDEF;
	GElf_Addr addr = 0;
	Elf *elf = NULL;
	GElf_Sym sym;
	const char *name =
		dwfl_module_getsym_info(module, index, &sym, &addr, &section, &elf, NULL);
	uint64_t size;
	unsigned int type;

	if (!name || name[0] == '\0' || section == SHN_UNDEF || section == SHN_ABS)
		return false;
	type = GELF_ST_TYPE(sym.st_info);
	if (type != STT_FUNC && type != STT_GNU_IFUNC && (type != STT_NOTYPE || is_label(name)))
		return false;
	size = sym.st_size ? sym.st_size : section_size_after(elf, section, sym.st_value);
	*ret = (struct function){
		.start = addr - bias,
		.end = addr - bias + size,
		.raw = name,
		.rank = rank_of(&sym, name),
		.sized = sym.st_size > 0,
	};
	return ret->end > ret->start;
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

int symbol_table_build(Dwfl_Module *module, uint64_t bias, struct symbol_table *ret)
{
	int n_symbols = dwfl_module_getsymtab(module);
	struct function *functions, *fitted;
	size_t n = 0;

	if (n_symbols <= 0)
		return -ENOENT;
	functions = calloc((size_t)n_symbols, sizeof(*functions));
	if (!functions)
		return -ENOMEM;
	for (int i = 0; i < n_symbols; i++)
		if (function_from_symbol(module, i, bias, &functions[n]))
			n++;
	n = finish(functions, n);
	fitted = realloc(functions, (n ? n : 1) * sizeof(*functions));
	ret->functions = fitted ? fitted : functions;
	ret->n = n;
	return 0;
}

void symbol_table_free(struct symbol_table *table)
{
	for (size_t i = 0; i < table->n; i++)
		free(table->functions[i].name);
	free(table->functions);
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
