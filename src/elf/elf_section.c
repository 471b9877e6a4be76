/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>
#include "elf/elf_internal.h"

/* deflate cannot expand more than 1032 times (zlib technical notes); a header that promises more lies. */
#define ZLIB_MAX_RATIO 1032

/* Pointer encodings of .eh_frame_hdr: Linux Standard Base 5.0 Core, 10.5.1 */
enum {
	PE_ABSPTR = 0x00,
	PE_UDATA2 = 0x02,
	PE_UDATA4 = 0x03,
	PE_UDATA8 = 0x04,
	PE_SDATA2 = 0x0a,
	PE_SDATA4 = 0x0b,
	PE_SDATA8 = 0x0c,
	PE_FORMAT_MASK = 0x0f,
	PE_PCREL = 0x10,
	PE_DATAREL = 0x30,
	PE_BASE_MASK = 0xf0,
};

/* libelf's elf_strptr() walks the string table for each name; a hostile one makes that quadratic. */
struct name_table {
	const char *data;
	size_t size;
};

static struct name_table section_names(struct elf_file *file)
{
	struct name_table names = {NULL, 0};
	GElf_Shdr shdr;
	Elf_Scn *scn;
	Elf_Data *data;
	size_t index;

	if (elf_getshdrstrndx(file->elf, &index))
		return names;
	scn = elf_getscn(file->elf, index);
	if (!scn || !gelf_getshdr(scn, &shdr) || shdr.sh_type == SHT_NOBITS ||
	    shdr.sh_size > ELF_SECTION_MAX || shdr.sh_flags & SHF_COMPRESSED)
		return names;
	data = elf_rawdata(scn, NULL);
	if (data && data->d_buf) {
		elf_count_section(file, scn, data->d_size);
		names.data = data->d_buf;
		names.size = data->d_size;
	}
	return names;
}

static bool name_equals(const struct name_table *names, uint64_t off, const char *name)
{
	size_t size = strlen(name) + 1;

	return off < names->size && names->size - off >= size &&
	       memcmp(names->data + off, name, size) == 0;
}

Elf_Scn *elf_find_section(struct elf_file *file, const char *name, GElf_Shdr *shdr)
{
	struct name_table names = section_names(file);
	Elf_Scn *scn = NULL;

	if (!names.data)
		return NULL;
	while ((scn = elf_nextscn(file->elf, scn)))
		if (gelf_getshdr(scn, shdr) && name_equals(&names, shdr->sh_name, name))
			return scn;
	return NULL;
}

Elf_Scn *elf_find_section_type(struct elf_file *file, uint32_t type, GElf_Shdr *shdr)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(file->elf, scn)))
		if (gelf_getshdr(scn, shdr) && shdr->sh_type == type)
			return scn;
	return NULL;
}

/* SHF_COMPRESSED: ELF gABI, chapter 4, "Compressed Sections". */
static int decompress(Elf_Scn *scn, const GElf_Shdr *shdr)
{
	GElf_Chdr chdr;

	if (!gelf_getchdr(scn, &chdr))
		return -ENOEXEC;
	if (chdr.ch_size > ELF_SECTION_MAX)
		return -EFBIG;
	if (chdr.ch_type == ELFCOMPRESS_ZLIB && chdr.ch_size / ZLIB_MAX_RATIO > shdr->sh_size)
		return -ENOEXEC;
	return elf_compress(scn, 0, 0) < 0 ? -ENOEXEC : 0;
}

/* The older ".zdebug_*": "ZLIB", the size as a big-endian 64-bit number, a zlib stream. */
static int decompress_gnu(Elf_Scn *scn)
{
	Elf_Data *data = elf_rawdata(scn, NULL);
	uint64_t size = 0;

	if (!data || !data->d_buf || data->d_size < 12)
		return -ENOEXEC;
	/* Called before: it is plain by now. */
	if (memcmp(data->d_buf, "ZLIB", 4) != 0)
		return 0;
	for (int i = 4; i < 12; i++)
		size = size << 8 | ((const uint8_t *)data->d_buf)[i];
	if (size > ELF_SECTION_MAX)
		return -EFBIG;
	if (size / ZLIB_MAX_RATIO > data->d_size)
		return -ENOEXEC;
	return elf_compress_gnu(scn, 0, 0) < 0 ? -ENOEXEC : 0;
}

static int section_from_scn(struct elf_file *file, Elf_Scn *scn, GElf_Shdr *shdr,
			    bool gnu_compressed, struct elf_section *ret)
{
	Elf_Data *data;
	int err = 0;

	if (shdr->sh_type == SHT_NOBITS || shdr->sh_type == SHT_NULL || shdr->sh_size == 0)
		return -ENOENT;
	if (shdr->sh_size > ELF_SECTION_MAX)
		return -EFBIG;
	if (shdr->sh_flags & SHF_COMPRESSED)
		err = decompress(scn, shdr);
	else if (gnu_compressed)
		err = decompress_gnu(scn);
	if (err)
		return err;
	data = elf_rawdata(scn, NULL);
	if (!data || !data->d_buf)
		return -ENOEXEC;
	if (data->d_size == 0)
		return -ENOENT;
	elf_count_section(file, scn, data->d_size);
	*ret = (struct elf_section){
		.data = data->d_buf,
		.size = data->d_size,
		.vaddr = shdr->sh_flags & SHF_ALLOC ? shdr->sh_addr : 0,
		.type = shdr->sh_type,
	};
	return 0;
}

static int eh_frame_hdr_by_segment(struct elf_file *file, struct elf_section *ret)
{
	const struct elf_segment *segment = &file->eh_frame_hdr;
	const uint8_t *data;
	int err;

	if (!file->has_eh_frame_hdr || segment->file_size == 0)
		return -ENOENT;
	err = elf_read_range(file, segment->file_off, segment->file_size, &data);
	if (err)
		return err;
	*ret = (struct elf_section){
		.data = data,
		.size = segment->file_size,
		.vaddr = segment->vaddr,
		.type = SHT_PROGBITS,
	};
	return 0;
}

/* eh_frame_ptr, the field at offset 4 of .eh_frame_hdr: LSB 5.0 Core, 10.6.2 */
static int eh_frame_ptr(const struct elf_file *file, const struct elf_section *hdr, uint64_t *vaddr)
{
	unsigned int size = 0;
	uint64_t value;
	uint8_t enc;

	if (hdr->size < 4 || hdr->data[0] != 1)
		return -ENOENT;
	enc = hdr->data[1];
	switch (enc & PE_FORMAT_MASK) {
	case PE_ABSPTR:
		size = file->is_64 ? 8 : 4;
		break;
	case PE_UDATA2:
	case PE_SDATA2:
		size = 2;
		break;
	case PE_UDATA4:
	case PE_SDATA4:
		size = 4;
		break;
	case PE_UDATA8:
	case PE_SDATA8:
		size = 8;
		break;
	}
	if (size == 0 || hdr->size - 4 < size)
		return -ENOENT;
	value = elf_get_uint(file, hdr->data + 4, size);
	if ((enc & PE_FORMAT_MASK) == PE_SDATA2)
		value = (uint64_t)(int16_t)value;
	else if ((enc & PE_FORMAT_MASK) == PE_SDATA4)
		value = (uint64_t)(int32_t)value;
	if ((enc & PE_BASE_MASK) == PE_PCREL)
		value += hdr->vaddr + 4;
	else if ((enc & PE_BASE_MASK) == PE_DATAREL)
		value += hdr->vaddr;
	else if ((enc & PE_BASE_MASK) != 0)
		return -ENOENT;
	*vaddr = file->is_64 ? value : (uint32_t)value;
	return 0;
}

static int eh_frame_by_segment(struct elf_file *file, struct elf_section *ret)
{
	struct elf_section hdr;
	uint64_t vaddr;
	int err = elf_file_section(file, ".eh_frame_hdr", &hdr);

	if (!err)
		err = eh_frame_ptr(file, &hdr, &vaddr);
	if (err)
		return err;
	for (size_t i = 0; i < file->n_segments; i++) {
		const struct elf_segment *segment = &file->segments[i];
		const uint8_t *data;
		uint64_t skip;

		if (vaddr < segment->vaddr || vaddr - segment->vaddr >= segment->file_size)
			continue;
		skip = vaddr - segment->vaddr;
		err = elf_read_range(file, segment->file_off + skip, segment->file_size - skip,
				     &data);
		if (err)
			return err;
		*ret = (struct elf_section){
			.data = data,
			.size = segment->file_size - skip,
			.vaddr = vaddr,
			.type = SHT_PROGBITS,
		};
		return 0;
	}
	return -ENOENT;
}

int elf_file_section(struct elf_file *file, const char *name, struct elf_section *ret)
{
	GElf_Shdr shdr;
	Elf_Scn *scn = elf_find_section(file, name, &shdr);
	char gnu_name[32] = ".z";

	if (scn)
		return section_from_scn(file, scn, &shdr, false, ret);
	if (strncmp(name, ".debug_", 7) == 0 && strlen(name) < sizeof(gnu_name) - 2) {
		strcat(gnu_name, name + 1);
		scn = elf_find_section(file, gnu_name, &shdr);
		return scn ? section_from_scn(file, scn, &shdr, true, ret) : -ENOENT;
	}
	if (strcmp(name, ".eh_frame_hdr") == 0)
		return eh_frame_hdr_by_segment(file, ret);
	if (strcmp(name, ".eh_frame") == 0)
		return eh_frame_by_segment(file, ret);
	return -ENOENT;
}

Elf_Data *elf_plain_data(struct elf_file *file, Elf_Scn *scn)
{
	GElf_Shdr shdr;
	Elf_Data *data;

	if (!scn || !gelf_getshdr(scn, &shdr) || shdr.sh_type == SHT_NOBITS ||
	    shdr.sh_size > ELF_SECTION_MAX || shdr.sh_flags & SHF_COMPRESSED)
		return NULL;
	data = elf_getdata(scn, NULL);
	if (!data || !data->d_buf || !data->d_size)
		return NULL;
	elf_count_section(file, scn, data->d_size);
	return data;
}
