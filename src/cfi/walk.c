/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include "cfi/cfa_program.h"
#include "cfi/walk.h"

#define N_CACHED_CIES 64 /* a power of two */

enum cie_state { CIE_UNUSED, CIE_GOOD, CIE_BAD };

struct cached_cie {
	uint8_t state;
	size_t off;
	struct cie cie;
};

struct cfi_walk {
	const struct cfi_section *section;
	size_t next;
	struct cfa_machine machine;
	struct cached_cie cies[N_CACHED_CIES];
};

int walk_create(const struct cfi_section *section, struct cfi_walk **ret)
{
	struct cfi_walk *walk = calloc(1, sizeof(*walk));

	if (!walk)
		return -ENOMEM;
	walk->section = section;
	*ret = walk;
	return 0;
}

void walk_destroy(struct cfi_walk *walk)
{
	free(walk);
}

static const struct cie *find_cie(struct cfi_walk *walk, size_t off)
{
	struct cached_cie *cached = &walk->cies[(off ^ off >> 6) / 4 % N_CACHED_CIES];

	if (cached->state == CIE_UNUSED || cached->off != off) {
		int err = cie_parse(walk->section, off, &walk->machine, &cached->cie);

		cached->off = off;
		cached->state = err ? CIE_BAD : CIE_GOOD;
	}
	return cached->state == CIE_GOOD ? &cached->cie : NULL;
}

int walk_next(struct cfi_walk *walk, struct cfi_stats *stats, struct cfi_entry *entry,
	      const struct cie **cie, struct fde *fde)
{
	int err;

	for (;;) {
		err = section_entry(walk->section, walk->next, entry);
		if (err == -EINVAL) {
			/* What follows cannot be found any more: at least one entry is lost. */
			stats->skipped_fdes++;
			walk->next = walk->section->size;
			return -ENOENT;
		}
		if (err)
			return err;
		walk->next = entry->next;
		if (entry->is_end)
			continue;
		if (entry->is_cie) {
			stats->cies++;
			continue;
		}
		*cie = find_cie(walk, entry->cie_off);
		err = *cie ? fde_parse(walk->section, entry, *cie, fde) : -EINVAL;
		if (!err)
			return 0;
		if (err != -ENOENT)
			stats->skipped_fdes++;
	}
}

bool walk_check(struct cfi_walk *walk, const struct cie *cie, const struct fde *fde)
{
	return cfa_check_fde(&walk->machine, walk->section, cie, fde) == 0;
}

int walk_rows(struct cfi_walk *walk, const struct cie *cie, const struct fde *fde,
	      cfi_row_fn *row_fn, cfi_fde_fn *fde_fn, void *arg, struct cfi_stats *stats)
{
	const struct cfa_machine *machine = &walk->machine;
	int err = cfa_run_fde(&walk->machine, walk->section, cie, fde, row_fn, arg);

	if (machine->stopped)
		return machine->stopped;
	if (err) {
		stats->skipped_fdes++;
	} else {
		stats->fdes++;
		stats->rows += machine->n_rows;
	}
	return fde_fn(!err, arg);
}
