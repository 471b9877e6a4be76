/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to allocator*.c. */
#ifndef ALLOCATOR_INTERNAL_H
#define ALLOCATOR_INTERNAL_H

#include "allocator.h"

struct elf_file;

/*
 * Adds the functions of the module, with `prefix`, to an allocator that may have others already: two names of one function are one
 * probe.
 */
void allocator_add_functions(struct allocator *allocator, const struct module *module,
			     const char *prefix);

#endif
