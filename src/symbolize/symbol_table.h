/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SYMBOLIZE_SYMBOL_TABLE_H
#define SYMBOLIZE_SYMBOL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <elfutils/libdwfl.h>

struct function {
	uint64_t start, end; /* vaddrs */
	uint64_t reach;	     /* highest end up to here: how far back a lookup has to go */
	const char *raw;     /* inside the ELF file's string table */
	char *name;	     /* demangled at the first lookup */
	uint8_t rank;	     /* which of several names for one address is the best */
	bool sized;	     /* end comes from the symbol; else it is a guess */
};

struct symbol_table {
	struct function *functions; /* sorted, one a start */
	size_t n;
};

/* `bias`: dwfl address - vaddr. The names live as long as the module. */
int symbol_table_build(Dwfl_Module *module, uint64_t bias, struct symbol_table *ret);
void symbol_table_free(struct symbol_table *table);
struct function *symbol_table_find(const struct symbol_table *table, uint64_t vaddr);

#endif
