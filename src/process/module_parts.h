/* SPDX-License-Identifier: BSD-2-Clause */
/* What a module holds, between the cache and module_cfi(), module_table(). */
#ifndef PROCESS_MODULE_PARTS_H
#define PROCESS_MODULE_PARTS_H

#include <stddef.h>

struct module;

size_t module_part_bytes(const struct module *module);
void module_free_parts(struct module *module);

/* To be told when a part was added: counts again, and drops others that nothing refers to if that is too much. */
void module_has_grown(struct module *module);

#endif
