/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SYMBOLIZE_SYMBOL_TABLE_H
#define SYMBOLIZE_SYMBOL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_file;

struct function {
	uint64_t start, end; /* vaddrs */
	size_t around; /* number of the last one before it that may reach behind its start; SIZE_MAX: none */
	const char *raw;  /* inside the ELF file's string table */
	const char *name; /* for its owner; NULL at first */
	uint8_t rank;	  /* which of several names for one address is the best */
	uint8_t source;	  /* as given when it was added */
	bool sized;	  /* end comes from the symbol; else it is a guess */
	bool is_stub;	  /* of the procedure linkage table: the name is that of what it leads to */
};

struct symbol_table {
	struct function *functions; /* sorted, one a start, once finished */
	size_t n, size;
};

/* Adds what the file's table has: SHT_SYMTAB, SHT_DYNSYM. Names live as long as the file. -ENOENT: it has none; -ENOMEM */
int symbol_table_add(struct symbol_table *table, struct elf_file *file, uint32_t type,
		     uint8_t source);
/* The same for the stubs of its procedure linkage table. */
int symbol_table_add_stubs(struct symbol_table *table, struct elf_file *file, uint8_t source);
/* Sorts; of several that begin at one address, the best stays. -ENOMEM: it can not be asked. */
int symbol_table_finish(struct symbol_table *table);
void symbol_table_free(struct symbol_table *table);
struct function *symbol_table_find(const struct symbol_table *table, uint64_t vaddr);

#endif
