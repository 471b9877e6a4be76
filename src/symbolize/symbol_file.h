/* SPDX-License-Identifier: BSD-2-Clause */
/* What is known of the code of one ELF file, by vaddr. */
#ifndef SYMBOLIZE_SYMBOL_FILE_H
#define SYMBOLIZE_SYMBOL_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "symbolize/symbolize.h"

struct naming;
struct symbol_file;

/*
 * Over `fd`, which stays the caller's; a file that `naming` has open under that path already is given again. All is read at the first look-up.
 * `naming` must live as long.
 */
int symbol_file_open(int fd, const char *path, struct naming *naming, struct symbol_file **ret);
/* As often as it was opened. NULL is allowed. */
void symbol_file_close(struct symbol_file *file);

/*
 * What is at `vaddr`: all of *ret but `module`; `offset` is that of `vaddr`. Valid as long as the file and `naming`.
 */
void symbol_file_find(struct symbol_file *file, uint64_t vaddr, struct symbol *ret);

/* The same answers will be asked for: all at once takes less time. */
void symbol_file_prepare(struct symbol_file *file, const uint64_t *vaddrs, size_t n);

#endif
