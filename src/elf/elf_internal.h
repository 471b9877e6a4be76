/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of an elf_file share. The file is read, never mapped: another user may truncate a file while it is mapped,
 * and touching what was cut off raises SIGBUS. libelf reads the headers and the sections (ELF_C_READ); the rest goes
 * through elf_read_range().
 */
#ifndef ELF_INTERNAL_H
#define ELF_INTERNAL_H

#include <libelf.h>
#include <gelf.h>
#include "elf/elf_file.h"

/* Above every real section (a browser's .debug_info: 4 GiB at most, its CFI and symbols 100 MiB); bounds the memory that a
 * hostile header can ask for. */
#define ELF_SECTION_MAX (1ULL << 30)

/* Bytes that were read outside of libelf's sections; owned by the elf_file. */
struct elf_range {
	struct elf_range *next;
	uint64_t file_off;
	size_t size;
	uint8_t data[];
};

struct elf_file {
	Elf *elf;
	int fd;
	uint64_t size; /* of the file when it was opened */
	const struct arch *arch;
	uint16_t type;
	uint64_t entry;
	bool little_endian;
	bool is_64;
	struct elf_segment *segments;
	size_t n_segments;
	uint8_t build_id[ELF_BUILD_ID_MAX];
	size_t build_id_size;
	bool has_eh_frame_hdr; /* PT_GNU_EH_FRAME */
	struct elf_segment eh_frame_hdr;
	struct elf_range *
		*ranges;  /* list; behind a pointer, since reading changes no visible state */
	size_t bytes;	  /* of memory, but for the ranges */
	bool *is_counted; /* by section: its data is in `bytes` */
	size_t n_sections;
};

/* Begins to count, when the headers have been read. -ENOMEM */
int elf_count_begin(struct elf_file *file);

/* libelf has read the section, or decompressed it: `size` bytes. Counts once. */
void elf_count_section(struct elf_file *file, Elf_Scn *scn, size_t size);

/*
 * `size` bytes at `file_off`, kept until the file is closed; the same range is read once. -EIO: the file no longer
 * has them.
 */
int elf_read_range(const struct elf_file *file, uint64_t file_off, size_t size,
		   const uint8_t **data);

/* Unsigned integer of `size` (1, 2, 4, 8) bytes in the file's byte order. */
uint64_t elf_get_uint(const struct elf_file *file, const uint8_t *p, unsigned int size);

/* The section called `name`, NULL if there is none. */
Elf_Scn *elf_find_section(struct elf_file *file, const char *name, GElf_Shdr *shdr);

/* First section of type `type`, NULL if there is none. */
Elf_Scn *elf_find_section_type(struct elf_file *file, uint32_t type, GElf_Shdr *shdr);

/* Fills in build_id; a file without one is left at size 0. */
void elf_read_build_id(struct elf_file *file);

/* A section's data, if there is some that can be had without decompressing, and it is not too much; else NULL. */
Elf_Data *elf_plain_data(struct elf_file *file, Elf_Scn *scn);

#endif
