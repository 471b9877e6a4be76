/* SPDX-License-Identifier: BSD-2-Clause */
/* How much memory a file takes: what libelf has read for it, told section by section, and what elf_read_range() has. */
#include <errno.h>
#include <stdlib.h>
#include "elf/elf_internal.h"

/* What libelf allocates for a file and for each section, whose header it keeps: measured, elfutils 0.188, by module_cache_test. */
#define BYTES_PER_FILE 256
#define BYTES_PER_SECTION 232

int elf_count_begin(struct elf_file *file)
{
	if (elf_getshdrnum(file->elf, &file->n_sections))
		file->n_sections = 0;
	file->is_counted = calloc(file->n_sections + 1, sizeof(*file->is_counted));
	if (!file->is_counted)
		return -ENOMEM;
	file->bytes = sizeof(*file) + BYTES_PER_FILE +
		      file->n_sections * (BYTES_PER_SECTION + sizeof(*file->is_counted)) +
		      file->n_segments * sizeof(*file->segments);
	return 0;
}

void elf_count_section(struct elf_file *file, Elf_Scn *scn, size_t size)
{
	size_t index = elf_ndxscn(scn);

	if (!file->is_counted || index >= file->n_sections || file->is_counted[index])
		return;
	file->is_counted[index] = true;
	file->bytes += size;
}

size_t elf_file_bytes(const struct elf_file *file)
{
	size_t bytes = file->bytes;

	for (const struct elf_range *range = *file->ranges; range; range = range->next)
		bytes += sizeof(*range) + range->size;
	return bytes;
}
