/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include "elf/elf_internal.h"

/* Notes of an executable are a few hundred bytes; those of a core file can be megabytes. */
#define MAX_NOTES_SIZE (64 << 10)

/* Real files have two to four places with notes; each one that is looked at costs a read. */
#define MAX_NOTE_PLACES 16

#define NOTE_HEADER_SIZE 12

static uint64_t align_up(uint64_t value, uint64_t align)
{
	return (value + align - 1) / align * align;
}

/* Looks for NT_GNU_BUILD_ID of owner "GNU" (ELF gABI, chapter 5, "Note Section"; binutils documentation, ld --build-id). */
static bool find_in_notes(struct elf_file *file, uint64_t file_off, uint64_t size, uint64_t align)
{
	const uint8_t *data;
	uint64_t pos = 0;

	if (file_off > file->size)
		return false;
	if (size > file->size - file_off)
		size = file->size - file_off;
	if (size > MAX_NOTES_SIZE)
		size = MAX_NOTES_SIZE;
	if (size < NOTE_HEADER_SIZE || elf_read_range(file, file_off, size, &data))
		return false;
	align = align == 8 ? 8 : 4;
	while (pos < size && size - pos >= NOTE_HEADER_SIZE) {
		uint64_t name_size = elf_get_uint(file, data + pos, 4);
		uint64_t desc_size = elf_get_uint(file, data + pos + 4, 4);
		uint64_t type = elf_get_uint(file, data + pos + 8, 4);
		uint64_t name = pos + NOTE_HEADER_SIZE;
		uint64_t desc = align_up(name + name_size, align);

		if (desc > size || desc_size > size - desc)
			return false;
		if (type == NT_GNU_BUILD_ID && name_size == 4 &&
		    memcmp(data + name, "GNU", 4) == 0 && desc_size > 0 &&
		    desc_size <= ELF_BUILD_ID_MAX) {
			memcpy(file->build_id, data + desc, desc_size);
			file->build_id_size = desc_size;
			return true;
		}
		pos = align_up(desc + desc_size, align);
	}
	return false;
}

void elf_read_build_id(struct elf_file *file)
{
	unsigned int places = 0;
	Elf_Scn *scn = NULL;
	GElf_Phdr phdr;
	GElf_Shdr shdr;
	size_t n;

	if (elf_getphdrnum(file->elf, &n))
		n = 0;
	for (size_t i = 0; i < n && places < MAX_NOTE_PLACES; i++) {
		if (!gelf_getphdr(file->elf, (int)i, &phdr) || phdr.p_type != PT_NOTE)
			continue;
		places++;
		if (find_in_notes(file, phdr.p_offset, phdr.p_filesz, phdr.p_align))
			return;
	}
	while (places < MAX_NOTE_PLACES && (scn = elf_nextscn(file->elf, scn))) {
		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != SHT_NOTE)
			continue;
		places++;
		if (find_in_notes(file, shdr.sh_offset, shdr.sh_size, shdr.sh_addralign))
			return;
	}
}
