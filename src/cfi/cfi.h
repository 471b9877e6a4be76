/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Call frame information: .eh_frame or .debug_frame bytes -> rows.
 *
 * Sources: DWARF 5 section 6.4; Linux Standard Base 5.0 Core, 10.6 (.eh_frame, .eh_frame_hdr). The
 * bytes are not trusted: everything is read through one bounded cursor (cursor.h), and what cannot
 * be understood is skipped and counted, FDE by FDE. Addresses are vaddrs.
 *
 * A struct cfi borrows the elf_file. One thread at a time: a look-up may make an index.
 */
#ifndef CFI_H
#define CFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "cfi/go.h"
#include "elf/elf_file.h"

#define CFI_MAX_REGS 128 /* DWARF register numbers that a row can hold */

struct arch;
struct elf_file;
struct cfi;

enum cfi_rule_kind {
	CFI_UNSPECIFIED, /* no rule given; by convention: unchanged */
	CFI_UNDEFINED,
	CFI_SAME,
	CFI_OFFSET,	    /* *(CFA + off) */
	CFI_VAL_OFFSET,	    /* CFA + off */
	CFI_REGISTER,	    /* in register `reg`; for the CFA: reg + off */
	CFI_EXPRESSION,	    /* *(expression); for the CFA: expression */
	CFI_VAL_EXPRESSION, /* expression */
};

struct cfi_rule {
	uint8_t kind; /* enum cfi_rule_kind */
	uint32_t reg; /* DWARF number */
	int64_t off;
	const uint8_t *expr; /* inside the section */
	size_t expr_size;
};

/* The rules in force for [start, end). */
struct cfi_row {
	uint64_t start, end;
	struct cfi_rule cfa;
	struct cfi_rule regs[CFI_MAX_REGS];
	unsigned int n_regs; /* rules past the highest register mentioned are CFI_UNSPECIFIED */
	unsigned int ra_column;
	bool signal_frame;
	/*
	 * Differs (but for a chance of about 2^-50) from that of a row of the same struct cfi with
	 * other rules.
	 */
	uint64_t fingerprint;
};

struct cfi_stats {
	size_t cies, fdes, rows;
	size_t skipped_fdes; /* malformed, or with an opcode nobody defines */
};

/*
 * Opens the CFI of a file: .eh_frame, and .debug_frame of `file` or, if given, `debug` (a separate
 * debug file, may be NULL). -ENOENT: the file has none; -ENOTSUP: its architecture is not known.
 */
int cfi_open(struct elf_file *file, struct elf_file *debug, struct cfi **ret);

/* The sections of a file, or of a memory image; those without data do not exist. */
struct cfi_sections {
	struct elf_section eh_frame, eh_frame_hdr, debug_frame;
	uint64_t text_base, data_base; /* what textrel and datarel pointers are relative to */
	struct go_functions go;	       /* they decide before the sections do */
};

/* The same from bytes of `arch`, borrowed until cfi_close(). */
int cfi_open_sections(const struct arch *arch, const struct cfi_sections *sections,
		      struct cfi **ret);
void cfi_close(struct cfi *cfi);
/* Memory that it takes, beside the sections that it borrows. */
size_t cfi_bytes(const struct cfi *cfi);
const struct arch *cfi_arch(const struct cfi *cfi);

/*
 * The row in force at `vaddr`; -ENOENT where no FDE covers it, -EINVAL where its FDE is malformed.
 * Interprets one FDE only, found through .eh_frame_hdr's search table where that is sound, else
 * through an index of our own. Where both sections cover an address, .eh_frame decides.
 */
int cfi_find_row(const struct cfi *cfi, uint64_t vaddr, struct cfi_row *ret);

typedef int cfi_row_fn(const struct cfi_row *row, void *arg);
typedef int cfi_fde_fn(bool is_good, void *arg);

/*
 * Calls `row_fn` for every row of every FDE, in section order (FDEs are not sorted by address), and
 * `fde_fn` behind the rows of each. An FDE is interpreted once, so that it is malformed may show
 * when rows of it are out: they are void if it is not `is_good`. Stops when a function returns
 * nonzero and returns that. `stats` may be NULL; void rows are not counted.
 */
int cfi_for_each_row(const struct cfi *cfi, cfi_row_fn *row_fn, cfi_fde_fn *fde_fn, void *arg,
		     struct cfi_stats *stats);

#endif
