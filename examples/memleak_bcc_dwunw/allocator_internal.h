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
void allocator_add_functions(struct allocator *allocator, struct module *module,
			     const char *prefix);
/* Those of one kind alone. True: there are probes. */
bool allocator_add_function(struct allocator *allocator, struct module *module,
			    enum memleak_function kind);
/* After all functions: puts gates (gates.h) in the place of return instructions of operators new. */
void allocator_add_gates(struct allocator *allocator, struct module *module);
/* Of a file: whether it has the function, whose name is in two parts; and the soname. */
bool allocator_has_function(struct elf_file *elf, const char *prefix, const char *name);
bool allocator_has_soname(const struct module *module, const char *name);
const char *allocator_maker(struct elf_file *elf);
/* A library of its own, not a program with one in it. */
bool allocator_is_c_library(const struct module *module);
bool allocator_is_pure(const struct module *module);
bool allocator_is_dynamic_linker(const struct module *module);

#endif
