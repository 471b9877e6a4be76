/* SPDX-License-Identifier: BSD-2-Clause */
#include "elf/elf_functions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elf/elf_internal.h"

/* Size of one stub in every linker's output for the architectures that have stubs of 16 bytes; x86-64 psABI 5.2, AArch64 ELF. */
#define STUB_SIZE 16

struct names {
	const char *data;
	size_t size; /* the last byte is a NUL */
};

static Elf_Data *symbols_of(struct elf_file *file, uint32_t table, struct names *names)
{
	GElf_Shdr shdr;
	Elf_Scn *scn = elf_find_section_type(file, table, &shdr);
	Elf_Data *symbols = elf_plain_data(file, scn);
	Elf_Data *strings =
		symbols ? elf_plain_data(file, elf_getscn(file->elf, shdr.sh_link)) : NULL;

	if (!strings || symbols->d_type != ELF_T_SYM)
		return NULL;
	names->data = strings->d_buf;
	names->size = strings->d_size;
	while (names->size && names->data[names->size - 1])
		names->size--;
	return names->size ? symbols : NULL;
}

static uint64_t rest_of_section(const struct elf_file *file, const GElf_Sym *sym)
{
	Elf_Scn *scn = elf_getscn(file->elf, sym->st_shndx);
	GElf_Shdr shdr;

	if (!scn || !gelf_getshdr(scn, &shdr) || sym->st_value < shdr.sh_addr ||
	    sym->st_value - shdr.sh_addr >= shdr.sh_size)
		return 0;
	return shdr.sh_size - (sym->st_value - shdr.sh_addr);
}

int elf_file_each_function(struct elf_file *file, uint32_t table, elf_function_fn *fn, void *arg)
{
	struct names names;
	Elf_Data *symbols = symbols_of(file, table, &names);
	GElf_Sym sym;
	int err = 0;

	if (!symbols)
		return -ENOENT;
	for (int i = 1; !err && gelf_getsym(symbols, i, &sym); i++) {
		unsigned int type = GELF_ST_TYPE(sym.st_info);
		struct elf_function function = {
			sym.st_value, sym.st_size, 0, (uint8_t)type, GELF_ST_BIND(sym.st_info),
			names.data};

		if ((type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE) ||
		    sym.st_shndx == SHN_UNDEF || sym.st_shndx == SHN_ABS ||
		    sym.st_name >= names.size)
			continue;
		function.name += sym.st_name;
		if (!function.name[0])
			continue;
		if (!sym.st_size)
			function.rest = rest_of_section(file, &sym);
		err = fn(&function, arg);
	}
	return err;
}

/* One relocation of the procedure linkage table. */
struct slot {
	uint64_t vaddr; /* that it fills */
	uint64_t symbol;
};

struct plt {
	struct slot *slots; /* by vaddr */
	size_t n;
	Elf_Data *symbols;
	struct names names;
};

static int compare_slots(const void *left, const void *right)
{
	const struct slot *a = left, *b = right;

	return a->vaddr < b->vaddr ? -1 : a->vaddr > b->vaddr;
}

static int read_plt(struct elf_file *file, struct plt *ret)
{
	unsigned int word = file->is_64 ? 8 : 4;
	struct elf_section section;
	size_t entry_size = 3 * word;

	if (elf_file_section(file, ".rela.plt", &section)) {
		entry_size = 2 * word;
		if (elf_file_section(file, ".rel.plt", &section))
			return -ENOENT;
	}
	ret->symbols = symbols_of(file, SHT_DYNSYM, &ret->names);
	if (!ret->symbols)
		return -ENOENT;
	ret->n = section.size / entry_size;
	ret->slots = calloc(ret->n + 1, sizeof(*ret->slots));
	if (!ret->slots)
		return -ENOMEM;
	for (size_t i = 0; i < ret->n; i++) {
		const uint8_t *entry = section.data + i * entry_size;
		uint64_t info = elf_get_uint(file, entry + word, word);

		ret->slots[i].vaddr = elf_get_uint(file, entry, word);
		ret->slots[i].symbol = file->is_64 ? info >> 32 : info >> 8;
	}
	qsort(ret->slots, ret->n, sizeof(*ret->slots), compare_slots);
	return 0;
}

/* "": the stub leads to an address that has no name (IRELATIVE). */
static const char *name_of_slot(const struct plt *plt, size_t i)
{
	uint64_t symbol = plt->slots[i].symbol;
	GElf_Sym sym;

	if (symbol == 0 || symbol > INT32_MAX || !gelf_getsym(plt->symbols, (int)symbol, &sym) ||
	    sym.st_name >= plt->names.size)
		return "";
	return plt->names.data + sym.st_name;
}

/*
 * The n-th stub jumps through the n-th slot; before the first is what resolves lazily. With Intel's CET the jumps are in
 * .plt.sec, which has nothing before the first, and the stubs of .plt only lead to it.
 */
int elf_file_each_stub(struct elf_file *file, elf_function_fn *fn, void *arg)
{
	static const char *const sections[] = {".plt.sec", ".plt"};
	struct elf_section section;
	struct plt plt;
	int err = read_plt(file, &plt);

	if (err)
		return err;
	for (size_t s = 0; s < 2; s++) {
		uint64_t first;

		if (elf_file_section(file, sections[s], &section) ||
		    section.size / STUB_SIZE < plt.n)
			continue;
		first = section.vaddr + section.size - plt.n * STUB_SIZE;
		for (size_t i = 0; i < plt.n && !err; i++) {
			struct elf_function function = {
				first + i * STUB_SIZE, STUB_SIZE, 0, STT_FUNC, STB_LOCAL,
				name_of_slot(&plt, i)};

			if (function.name[0])
				err = fn(&function, arg);
		}
	}
	free(plt.slots);
	return err;
}
