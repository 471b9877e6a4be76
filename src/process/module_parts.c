/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/module_parts.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "cfi/cfi.h"
#include "elf/debug_file.h"
#include "elf/elf_file.h"
#include "process/process.h"
#include "table/table.h"

size_t module_part_bytes(const struct module *module)
{
	size_t bytes = strlen(module->path) + 1 + elf_file_bytes(module->elf);

	if (module->debug)
		bytes += elf_file_bytes(module->debug);
	if (module->cfi)
		bytes += cfi_bytes(module->cfi);
	if (module->table)
		bytes += table_bytes(module->table);
	return bytes;
}

void module_free_parts(struct module *module)
{
	table_destroy(module->table);
	if (module->cfi)
		cfi_close(module->cfi);
	elf_file_close(module->debug);
	elf_file_close(module->elf);
	free(module->path);
}

/* Of a file without any, its debug file may have a .debug_frame: code of languages without exceptions, stripped. */
static int open_cfi(struct module *module)
{
	int err = cfi_open(module->elf, NULL, &module->cfi);

	if (err != -ENOENT)
		return err;
	err = debug_file_open(module->elf, module->path, &module->debug);
	return err ? err : cfi_open(module->elf, module->debug, &module->cfi);
}

int module_cfi(struct module *module, const struct cfi **ret)
{
	if (!module->cfi_is_known) {
		/* Unusable CFI is like none: the file's mappings and symbols are still good. */
		if (open_cfi(module) == -ENOMEM)
			return -ENOMEM;
		module->cfi_is_known = true;
		module_has_grown(module);
	}
	if (!module->cfi)
		return -ENOENT;
	*ret = module->cfi;
	return 0;
}

int module_table(struct module *module, const struct table **ret)
{
	const struct cfi *cfi;
	int err = module_cfi(module, &cfi);

	if (!err && !module->table) {
		err = table_build(cfi, &module->table);
		if (!err)
			module_has_grown(module);
	}
	if (err)
		return err;
	*ret = module->table;
	return 0;
}
