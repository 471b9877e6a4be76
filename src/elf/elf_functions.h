/* SPDX-License-Identifier: BSD-2-Clause */
/* All functions that an ELF file names: those of its symbol tables, and the stubs of its procedure linkage table. */
#ifndef ELF_FUNCTIONS_H
#define ELF_FUNCTIONS_H

#include <stddef.h>
#include <stdint.h>

struct elf_file;

struct elf_function {
	uint64_t vaddr;
	uint64_t size;	  /* 0: the symbol does not say */
	uint64_t rest;	  /* bytes to the end of its section; where `size` is 0 */
	uint8_t type;	  /* STT_FUNC, STT_GNU_IFUNC, STT_NOTYPE */
	uint8_t bind;	  /* STB_* */
	const char *name; /* not ""; valid until the file is closed */
};

/* Another result than 0 ends it. */
typedef int elf_function_fn(const struct elf_function *function, void *arg);

/* `table`: SHT_SYMTAB or SHT_DYNSYM. -ENOENT: it has none; else fn's result. */
int elf_file_each_function(struct elf_file *file, uint32_t table, elf_function_fn *fn, void *arg);

/* The stubs through which others are called; `name` is that of what is called. The same. */
int elf_file_each_stub(struct elf_file *file, elf_function_fn *fn, void *arg);

#endif
