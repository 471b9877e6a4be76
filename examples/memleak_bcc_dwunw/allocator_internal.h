/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to allocator*.c. */
#ifndef ALLOCATOR_INTERNAL_H
#define ALLOCATOR_INTERNAL_H

#include "allocator.h"

/*
 * Adds the functions of the module, with `prefix`, to an allocator that may have others already: two names of one function are one
 * probe.
 */
void allocator_add_functions(struct allocator *allocator, struct module *module,
			     const char *prefix);
/* Those of one kind alone. True: there are probes. */
bool allocator_add_function(struct allocator *allocator, struct module *module,
			    enum memleak_function kind);

#endif
