/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include "elf/elf_internal.h"

/* Its data, if it can be had without decompressing, and is not too much. */
static Elf_Data *plain_data(struct elf_file *file, Elf_Scn *scn)
{
	GElf_Shdr shdr;
	Elf_Data *data;

	if (!scn || !gelf_getshdr(scn, &shdr) || shdr.sh_type == SHT_NOBITS ||
	    shdr.sh_size > ELF_SECTION_MAX || shdr.sh_flags & SHF_COMPRESSED)
		return NULL;
	data = elf_getdata(scn, NULL);
	if (data)
		elf_count_section(file, scn, data->d_size);
	return data;
}

int elf_file_dynamic_string(struct elf_file *file, int64_t tag, size_t index, const char **ret)
{
	GElf_Shdr shdr;
	Elf_Data *entries = plain_data(file, elf_find_section_type(file, SHT_DYNAMIC, &shdr));
	const char *string;
	GElf_Dyn entry;

	if (!entries || !plain_data(file, elf_getscn(file->elf, shdr.sh_link)))
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
