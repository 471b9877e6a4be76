/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include "elf/elf_internal.h"

int elf_file_dynamic_string(struct elf_file *file, int64_t tag, size_t index, const char **ret)
{
	GElf_Shdr shdr;
	Elf_Data *entries = elf_plain_data(file, elf_find_section_type(file, SHT_DYNAMIC, &shdr));
	const char *string;
	GElf_Dyn entry;

	if (!entries || !elf_plain_data(file, elf_getscn(file->elf, shdr.sh_link)))
		return -ENOENT;
	for (int i = 0; gelf_getdyn(entries, i, &entry) && entry.d_tag != DT_NULL; i++) {
		if (entry.d_tag != tag || index-- > 0)
			continue;
		string = elf_strptr(file->elf, shdr.sh_link, entry.d_un.d_val);
		if (!string)
			return -ENOENT;
		*ret = string;
		return 0;
	}
	return -ENOENT;
}
