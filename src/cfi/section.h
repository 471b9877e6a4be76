/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One section of call frame information and the entries in it: CIEs and FDEs.
 *
 * Sources: DWARF 5 section 6.4.1 (.debug_frame); LSB 5.0 Core 10.6.1 (.eh_frame, augmentations,
 * pointer encodings 10.5.1). Offsets are from the start of the section, addresses are vaddrs.
 */
#ifndef CFI_SECTION_H
#define CFI_SECTION_H

#include "cfi/cfi.h"
#include "cfi/cursor.h"

struct cfi_section {
	const uint8_t *data;
	size_t size;
	uint64_t vaddr;
	bool is_eh; /* .eh_frame, else .debug_frame */
	bool little_endian;
	uint8_t address_size;
	uint64_t text_base, data_base; /* what textrel and datarel pointers are relative to */
};

/* What an encoded pointer (DW_EH_PE_*) may be relative to. */
struct pointer_bases {
	uint64_t vaddr;	      /* of the first byte that the cursor's range is counted from */
	const uint8_t *start; /* that byte */
	uint64_t text, data, func;
	uint8_t address_size;
};

/*
 * Reads one encoded pointer. -EINVAL: no such encoding or past the end; -ENOTSUP: indirect (its
 * value is only known to a running process), *ret is then unset, but the cursor is behind it.
 */
int pointer_read(struct cursor *c, const struct pointer_bases *bases, uint8_t encoding,
		 uint64_t *ret);

/* The frame of an entry, before it is known whether it makes sense. */
struct cfi_entry {
	size_t off;
	size_t next; /* where the next entry begins */
	size_t body; /* behind the CIE id or CIE pointer */
	bool is_cie;
	bool is_end;	/* a zero length */
	size_t cie_off; /* of an FDE; may be anything */
};

/* -EINVAL: the length leads out of the section; no entry follows. -ENOENT: end of the section. */
int section_entry(const struct cfi_section *section, size_t off, struct cfi_entry *ret);

struct cie {
	size_t off;
	size_t next;
	uint8_t address_size;
	uint8_t segment_size;
	uint8_t fde_encoding;
	bool has_augmentation_size; /* 'z': FDEs carry augmentation data */
	bool signal_frame;
	uint64_t code_align;
	int64_t data_align;
	unsigned int ra_column;
	const uint8_t *program;
	size_t program_size;
	struct cfi_row initial; /* after the CIE's own instructions; start and end unset */
};

struct pointer_bases section_bases(const struct cfi_section *section, const struct cie *cie,
				   uint64_t func);

struct fde {
	uint64_t start, end;
	const uint8_t *program;
	size_t program_size;
};

struct cfa_machine;

/* Parses the CIE at `off` and runs its initial instructions. *ret is undefined on failure. */
int cie_parse(const struct cfi_section *section, size_t off, struct cfa_machine *machine,
	      struct cie *ret);

/*
 * Parses what `entry` says is an FDE. -EINVAL: malformed; -ENOTSUP: its addresses are indirect;
 * -ENOENT: it covers nothing (no bytes, or code that the linker dropped and left at address 0).
 */
int fde_parse(const struct cfi_section *section, const struct cfi_entry *entry,
	      const struct cie *cie, struct fde *ret);

#endif
