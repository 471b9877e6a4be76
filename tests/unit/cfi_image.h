/* SPDX-License-Identifier: BSD-2-Clause */
/* For tests of src/cfi: sections of call frame information put together entry by entry, and opened. */
#ifndef CFI_IMAGE_H
#define CFI_IMAGE_H

#include <dwarf.h>
#include <errno.h>
#include "cfi/cfi.h"
#include "elf/elf_file.h"
#include "elf_image.h"
#include "../test.h"

#define SPAN 0x8000
#define TEXT_VADDR 0x800
#define HDR_VADDR 0x4000
#define GOT_VADDR 0x4800
#define EH_VADDR 0x5000
#define PC 0x1000 /* of the first function */
#define FUNCTION_SIZE 0x100

enum { RBX = 3, RDI = 5, RBP = 6, RSP = 7, R12 = 12, RIP = 16 };

/* One section under construction, and what is opened from it. */
static struct bytes eh, debug_frame, hdr, image;
static struct elf_file *elf;
static struct cfi *cfi;
static struct cfi_stats stats;
static struct cfi_row rows[256];
static size_t n_rows, n_void, n_good; /* n_void: rows of the FDE that has not come to its end */

static inline size_t begin_entry(struct bytes *b, bool is_64)
{
	if (is_64)
		put_uint(b, 0xffffffff, 4);
	put_uint(b, 0, is_64 ? 8 : 4);
	return b->size;
}

static inline void end_entry(struct bytes *b, size_t body, bool is_64)
{
	while (b->size % 4)
		put_u8(b, DW_CFA_nop);
	patch_uint(b, body - (is_64 ? 8 : 4), b->size - body, is_64 ? 8 : 4);
}

/*
 * Augmentation string and data, then CFA = rsp + 8, return address at CFA - 8. Returns the CIE's
 * offset.
 */
static inline size_t put_cie(struct bytes *b, const char *augmentation, const void *data,
			     size_t size)
{
	size_t off = b->size;
	size_t body = begin_entry(b, false);

	put_uint(b, 0, 4);
	put_u8(b, 1);
	put(b, augmentation, strlen(augmentation) + 1);
	put_uleb(b, 1);
	put_u8(b, 0x78);
	put_u8(b, RIP);
	put(b, data, size);
	put(b, (uint8_t[]){DW_CFA_def_cfa, RSP, 8, DW_CFA_offset | RIP, 1}, 5);
	end_entry(b, body, false);
	return off;
}

static inline size_t put_simple_cie(struct bytes *b)
{
	return put_cie(b, "zR", (uint8_t[]){1, DW_EH_PE_pcrel | DW_EH_PE_sdata4}, 2);
}

/* A FDE of that simple CIE. */
static inline size_t put_fde(struct bytes *b, size_t cie, uint64_t start, uint64_t size,
			     const void *program, size_t program_size)
{
	size_t off = b->size;
	size_t body = begin_entry(b, false);

	put_uint(b, body - cie, 4);
	put_uint(b, start - (EH_VADDR + b->size), 4);
	put_uint(b, size, 4);
	put_u8(b, 0);
	put(b, program, program_size);
	end_entry(b, body, false);
	return off;
}

static inline int on_row(const struct cfi_row *row, void *arg)
{
	(void)arg;
	if (n_rows < 256) {
		rows[n_rows++] = *row;
		n_void++;
	}
	return 0;
}

static inline int on_fde(bool is_good, void *arg)
{
	(void)arg;
	if (!is_good)
		n_rows -= n_void;
	n_void = 0;
	n_good += is_good;
	return 0;
}

/* Opens what was put together; 0 or cfi_open()'s error. */
static inline int open_cfi(void)
{
	struct image_section sections[5];
	size_t n = 0;
	int err;

	if (eh.size)
		sections[n++] = (struct image_section){".eh_frame", EH_VADDR, eh.data, eh.size};
	if (hdr.size)
		sections[n++] =
			(struct image_section){".eh_frame_hdr", HDR_VADDR, hdr.data, hdr.size};
	if (debug_frame.size)
		sections[n++] = (struct image_section){".debug_frame", 0, debug_frame.data,
						       debug_frame.size};
	sections[n++] = (struct image_section){".text", TEXT_VADDR, (const uint8_t *)"12345678", 8};
	sections[n++] = (struct image_section){".got", GOT_VADDR, (const uint8_t *)"12345678", 8};
	image = make_elf(sections, n, SPAN);
	n_rows = n_void = n_good = 0;
	cfi = NULL;
	stats = (struct cfi_stats){0};
	CHECK(elf_file_open_memory(image.data, image.size, &elf) == 0);
	err = cfi_open(elf, NULL, &cfi);
	if (!err)
		CHECK(cfi_for_each_row(cfi, on_row, on_fde, NULL, &stats) == 0);
	return err;
}

static inline void close_cfi(void)
{
	cfi_close(cfi);
	elf_file_close(elf);
	free(image.data);
	eh.size = debug_frame.size = hdr.size = 0;
}

static inline bool covers(uint64_t vaddr, uint64_t start, uint64_t end)
{
	struct cfi_row row;

	return cfi_find_row(cfi, vaddr, &row) == 0 && row.start == start && row.end == end;
}

/* One FDE with this program; opened. */
static inline void open_program(const void *program, size_t size)
{
	size_t cie = put_simple_cie(&eh);

	put_fde(&eh, cie, PC, FUNCTION_SIZE, program, size);
	CHECK(open_cfi() == 0);
}

#define OPEN_PROGRAM(...) open_program((uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__}))

/* One FDE with absolute 8-byte pointers, for CIEs whose augmentation does not say otherwise. */
static inline void put_absolute_fde(struct bytes *b, uint64_t cie_pointer, size_t id_size,
				    bool is_64, uint64_t start, const void *augmentation,
				    size_t augmentation_size)
{
	size_t body = begin_entry(b, is_64);

	put_uint(b, cie_pointer, id_size);
	put_uint(b, start, 8);
	put_uint(b, FUNCTION_SIZE, 8);
	put(b, augmentation, augmentation_size);
	end_entry(b, body, is_64);
}

#endif
