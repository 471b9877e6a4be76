/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which FDE covers an address. Two ways: the search table of .eh_frame_hdr (LSB 5.0 Core 10.6.2),
 * which the linker made, and an index of our own for sections without one.
 */
#ifndef CFI_INDEX_H
#define CFI_INDEX_H

#include "cfi/section.h"

/*
 * .eh_frame_hdr's table of (start of function, address of FDE), both 4 bytes, relative to the
 * header.
 */
struct cfi_hdr {
	const uint8_t *table;
	size_t n;
	uint64_t vaddr;
	uint64_t mask; /* of an address */
};

struct elf_section;

/* -EINVAL: it is not sound, or is not of the one form that linkers write. */
int hdr_open(const struct elf_section *hdr, const struct cfi_section *section, struct cfi_hdr *ret);

/*
 * A table that lists fewer FDEs than there are hides functions: linkers leave it so where an input's section could not be parsed.
 * Looking at the lengths of all entries takes a fraction of the time that the index of our own would.
 */
bool hdr_is_complete(const struct cfi_hdr *hdr, const struct cfi_section *section);

/* Offset of the one FDE that may cover `vaddr`; -ENOENT. */
int hdr_find(const struct cfi_hdr *hdr, const struct cfi_section *section, uint64_t vaddr,
	     size_t *fde_off);

struct cfi_index_entry {
	uint64_t start, end;
	size_t fde_off;
};

struct cfi_index {
	struct cfi_index_entry *entries; /* ascending, without overlap */
	size_t n;
};

int index_build(const struct cfi_section *section, struct cfi_index *ret);
void index_clear(struct cfi_index *index);
int index_find(const struct cfi_index *index, uint64_t vaddr, size_t *fde_off);

#endif
