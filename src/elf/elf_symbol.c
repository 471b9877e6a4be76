/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>
#include "elf/elf_internal.h"

#define VERSYM_HIDDEN 0x8000 /* not the default version: LSB 5.0 Core, 10.7.2 */

struct symbol_table {
	Elf_Data *symbols;
	size_t n;
	const char *names;
	size_t names_size;
	const uint8_t *versions; /* NULL: none */
	size_t versions_size;
};

static int symbol_table_read(struct elf_file *file, uint32_t type, struct symbol_table *ret)
{
	struct elf_section versions;
	Elf_Data *names;
	GElf_Shdr shdr;
	Elf_Scn *scn = elf_find_section_type(file, type, &shdr);
	size_t entry_size = gelf_fsize(file->elf, ELF_T_SYM, 1, EV_CURRENT);

	memset(ret, 0, sizeof(*ret));
	ret->symbols = elf_plain_data(file, scn);
	names = scn ? elf_plain_data(file, elf_getscn(file->elf, shdr.sh_link)) : NULL;
	if (!ret->symbols || ret->symbols->d_type != ELF_T_SYM || !names || entry_size == 0)
		return -ENOENT;
	ret->n = ret->symbols->d_size / entry_size;
	ret->names = names->d_buf;
	ret->names_size = names->d_size;
	if (type == SHT_DYNSYM && elf_file_section(file, ".gnu.version", &versions) == 0) {
		ret->versions = versions.data;
		ret->versions_size = versions.size;
	}
	return 0;
}

/* Up to a version: "name", "name@V1" and "name@@V2" are `name`. */
static bool name_matches(const struct symbol_table *table, uint64_t off, const char *name,
			 size_t size)
{
	const char *p;

	if (off >= table->names_size || table->names_size - off <= size)
		return false;
	p = table->names + off;
	return memcmp(p, name, size) == 0 && (p[size] == '\0' || p[size] == '@');
}

/* What a caller in another file is bound to comes first: a global symbol, and the default version. */
static int preference(const struct elf_file *file, const struct symbol_table *table, size_t index,
		      const GElf_Sym *sym)
{
	int score = 1;

	if (GELF_ST_BIND(sym->st_info) != STB_LOCAL)
		score += 2;
	if (index < table->versions_size / 2 &&
	    !(elf_get_uint(file, table->versions + 2 * index, 2) & VERSYM_HIDDEN))
		score += 1;
	return score;
}

/* `section_type`: SHT_DYNSYM or SHT_SYMTAB; `symbol_type`: STT_FUNC or STT_OBJECT */
static int find_in_table(struct elf_file *file, uint32_t section_type, int symbol_type,
			 const char *name, uint64_t *vaddr, uint64_t *size)
{
	struct symbol_table table;
	size_t name_size = strlen(name);
	int best = 0;
	int err = symbol_table_read(file, section_type, &table);

	if (err)
		return err;
	for (size_t i = 0; i < table.n; i++) {
		GElf_Sym sym;
		int score;

		if (!gelf_getsym(table.symbols, (int)i, &sym) || sym.st_shndx == SHN_UNDEF ||
		    GELF_ST_TYPE(sym.st_info) != symbol_type ||
		    !name_matches(&table, sym.st_name, name, name_size))
			continue;
		score = preference(file, &table, i, &sym);
		if (score <= best)
			continue;
		best = score;
		*vaddr = sym.st_value;
		*size = sym.st_size;
	}
	return best ? 0 : -ENOENT;
}

static int find_symbol(struct elf_file *file, int symbol_type, const char *name, uint64_t *vaddr,
		       uint64_t *size)
{
	int err = find_in_table(file, SHT_DYNSYM, symbol_type, name, vaddr, size);

	if (err == -ENOENT)
		err = find_in_table(file, SHT_SYMTAB, symbol_type, name, vaddr, size);
	return err;
}

int elf_file_find_function(struct elf_file *file, const char *name, uint64_t *vaddr, uint64_t *size)
{
	return find_symbol(file, STT_FUNC, name, vaddr, size);
}

int elf_file_find_object(struct elf_file *file, const char *name, uint64_t *vaddr, uint64_t *size)
{
	return find_symbol(file, STT_OBJECT, name, vaddr, size);
}
