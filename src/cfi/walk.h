/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef CFI_WALK_H
#define CFI_WALK_H

#include "cfi/section.h"

/*
 * A walk over the FDEs of a section in section order. CIEs are parsed when an FDE names them and
 * kept in a small cache. Zero lengths are passed over: musl's and some assemblers' start files
 * leave them before more entries.
 */
struct cfi_walk;

int walk_create(const struct cfi_section *section, struct cfi_walk **ret);
void walk_destroy(struct cfi_walk *walk);

/*
 * The next FDE, its instructions unseen: *cie is valid until the next call. -ENOENT: no more.
 * Those that cannot be parsed are counted in stats->skipped_fdes, and CIEs passed in stats->cies.
 */
int walk_next(struct cfi_walk *walk, struct cfi_stats *stats, struct cfi_entry *entry,
	      const struct cie **cie, struct fde *fde);

/* Whether the instructions of the FDE that walk_next() gave make sense. */
bool walk_check(struct cfi_walk *walk, const struct cie *cie, const struct fde *fde);

/*
 * Calls `row_fn` for the rows of the FDE that walk_next() gave, then `fde_fn`, as
 * cfi_for_each_row() has it, and counts. Returns what they returned.
 */
int walk_rows(struct cfi_walk *walk, const struct cie *cie, const struct fde *fde,
	      cfi_row_fn *row_fn, cfi_fde_fn *fde_fn, void *arg, struct cfi_stats *stats);

#endif
