/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interpreter of CFA programs (DWARF 5 section 6.4.2 and the GNU and AArch64 extensions). It
 * keeps one row and changes only what an instruction names; DW_CFA_remember_state costs a log of
 * what is changed after it, not a copy.
 */
#ifndef CFI_CFA_PROGRAM_H
#define CFI_CFA_PROGRAM_H

#include "cfi/section.h"

#define CFA_MAX_DEPTH 128 /* nested DW_CFA_remember_state */
#define CFA_MAX_UNDO 1024 /* rules changed within them */
#define CFA_SLOT_CFA CFI_MAX_REGS
#define CFA_N_SLOTS (CFI_MAX_REGS + 1)

struct cfa_undo {
	unsigned int slot;
	struct cfi_rule rule;
};

struct cfa_level {
	unsigned int first_undo;
	uint64_t logged[(CFA_N_SLOTS + 63) / 64];
};

/*
 * Scratch memory of runs, about 50 KiB. Needs no initialization: a CIE is always run before its
 * FDEs.
 */
struct cfa_machine {
	struct cfi_row row; /* its start is the current location */
	const struct cfi_section *section;
	const struct cie *entry; /* alignments and encoding */
	const struct cie *cie;	 /* initial rules; NULL: these are a CIE's own instructions */
	struct cursor cursor;
	uint64_t fde_start, end;
	bool checking; /* whether the program makes sense; no rows */
	cfi_row_fn *fn;
	void *arg;
	size_t n_rows; /* given to `fn` */
	int stopped;   /* what `fn` returned */
	unsigned int depth, n_undo;
	struct cfa_level levels[CFA_MAX_DEPTH];
	struct cfa_undo undo[CFA_MAX_UNDO];
};

/* Runs the instructions of `cie`, which is parsed but for `initial`, and fills that in. */
int cfa_run_cie(struct cfa_machine *machine, const struct cfi_section *section, struct cie *cie);

/* Whether the instructions of `fde` make sense to their end: 0 or -EINVAL. */
int cfa_check_fde(struct cfa_machine *machine, const struct cfi_section *section,
		  const struct cie *cie, const struct fde *fde);

/*
 * Calls `fn` for each row of `fde`, also of one that turns out malformed later: then -EINVAL, with
 * machine->stopped 0. Stops when `fn` returns nonzero and returns that.
 */
int cfa_run_fde(struct cfa_machine *machine, const struct cfi_section *section,
		const struct cie *cie, const struct fde *fde, cfi_row_fn *fn, void *arg);

#endif
