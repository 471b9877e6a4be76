/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests: bytes appended one field at a time, and little-endian ELF64 x86_64 images of sections
 * at chosen addresses.
 */
#ifndef ELF_IMAGE_H
#define ELF_IMAGE_H

#include <elf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct bytes {
	uint8_t *data;
	size_t size, capacity;
};

static inline void put(struct bytes *b, const void *data, size_t size)
{
	if (b->size + size > b->capacity) {
		b->capacity = 2 * (b->size + size) + 64;
		b->data = realloc(b->data, b->capacity);
		if (!b->data)
			abort();
	}
	if (size)
		memcpy(b->data + b->size, data, size);
	b->size += size;
}

/* Little-endian, `size` bytes. */
static inline void put_uint(struct bytes *b, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		uint8_t byte = value >> 8 * i;

		put(b, &byte, 1);
	}
}

static inline void put_u8(struct bytes *b, uint8_t value)
{
	put(b, &value, 1);
}

static inline void put_uleb(struct bytes *b, uint64_t value)
{
	do {
		put_u8(b, (value & 0x7f) | (value > 0x7f ? 0x80 : 0));
		value >>= 7;
	} while (value);
}

static inline void put_zeros(struct bytes *b, size_t n)
{
	while (n--)
		put_u8(b, 0);
}

static inline void patch_uint(struct bytes *b, size_t at, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		b->data[at + i] = value >> 8 * i;
}

struct image_section {
	const char *name;
	uint64_t vaddr;
	const uint8_t *data;
	size_t size;
};

/*
 * An image whose one segment, executable, has file offset = vaddr up to `span` (sections at vaddr 0
 * lie behind it). The caller frees the data.
 */
static inline struct bytes make_elf(const struct image_section *sections, size_t n, size_t span)
{
	Elf64_Ehdr ehdr = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			    EV_CURRENT},
		.e_type = ET_DYN,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(ehdr),
		.e_ehsize = sizeof(ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 1,
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = n + 2,
		.e_shstrndx = n + 1,
	};
	Elf64_Phdr phdr = {
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_X,
		.p_filesz = span,
		.p_memsz = span,
		.p_align = 0x1000,
	};
	Elf64_Shdr shdrs[8] = {0};
	struct bytes image = {0}, names = {0};

	put_zeros(&image, span);
	put_u8(&names, 0);
	for (size_t i = 0; i < n; i++) {
		Elf64_Shdr *shdr = &shdrs[i + 1];

		shdr->sh_name = names.size;
		shdr->sh_type = strncmp(sections[i].name, ".note", 5) ? SHT_PROGBITS : SHT_NOTE;
		shdr->sh_flags = sections[i].vaddr ? SHF_ALLOC : 0;
		shdr->sh_addr = sections[i].vaddr;
		shdr->sh_offset = sections[i].vaddr ? sections[i].vaddr : image.size;
		shdr->sh_size = sections[i].size;
		shdr->sh_addralign = 1;
		put(&names, sections[i].name, strlen(sections[i].name) + 1);
		if (!sections[i].vaddr)
			put(&image, sections[i].data, sections[i].size);
		else if (sections[i].size)
			memcpy(image.data + sections[i].vaddr, sections[i].data, sections[i].size);
	}
	shdrs[n + 1].sh_name = names.size;
	put(&names, ".shstrtab", sizeof(".shstrtab"));
	shdrs[n + 1].sh_type = SHT_STRTAB;
	shdrs[n + 1].sh_offset = image.size;
	shdrs[n + 1].sh_size = names.size;
	shdrs[n + 1].sh_addralign = 1;
	put(&image, names.data, names.size);
	put_zeros(&image, -image.size & 7);
	ehdr.e_shoff = image.size;
	put(&image, shdrs, (n + 2) * sizeof(shdrs[0]));
	memcpy(image.data, &ehdr, sizeof(ehdr));
	memcpy(image.data + sizeof(ehdr), &phdr, sizeof(phdr));
	free(names.data);
	return image;
}

#endif
