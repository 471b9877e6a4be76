/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The function symbols of one ELF file, by vaddr. libdwfl reads them (and finds those of a separate debug file and of
 * .gnu_debugdata); they are sorted once, since libdwfl's own search goes through all symbols for each address.
 */
#ifndef SYMBOLIZE_SYMBOL_FILE_H
#define SYMBOLIZE_SYMBOL_FILE_H

#include <stdint.h>

struct symbol_file;

/* Over `fd`, which stays the caller's. Symbols are read at the first look-up. */
int symbol_file_open(int fd, const char *path, struct symbol_file **ret);
void symbol_file_close(struct symbol_file *file);

/*
 * Demangled name of the function that holds `vaddr`, and its start; NULL: none is known. Valid until the file
 * is closed.
 */
const char *symbol_file_find(struct symbol_file *file, uint64_t vaddr, uint64_t *start);

#endif
