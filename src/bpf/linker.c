/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/linker.h"

#include <stddef.h>
#include <string.h>

#include "elf/elf_file.h"
#include "process/process.h"

const struct mapping *linker_find(const struct process *process, uint64_t *hook_vaddr,
				  uint64_t *r_debug)
{
	uint64_t size, vaddr;

	for (size_t i = 0; i < process->n_mappings; i++) {
		const struct mapping *mapping = &process->mappings[i];
		const char *base = strrchr(mapping->path, '/');

		if (!mapping->module || !base || strncmp(base, "/ld", 3) != 0 ||
		    elf_file_find_function(mapping->module->elf, "_dl_debug_state", hook_vaddr,
					   &size))
			continue;
		*r_debug = 0;
		if (elf_file_find_object(mapping->module->elf, "_r_debug", &vaddr, &size) == 0)
			*r_debug = vaddr + mapping->load_bias;
		return mapping;
	}
	return NULL;
}
