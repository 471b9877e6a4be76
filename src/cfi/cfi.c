/* SPDX-License-Identifier: BSD-2-Clause */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include "arch/arch.h"
#include "cfi/cfa_program.h"
#include "cfi/index.h"
#include "cfi/walk.h"
#include "elf/elf_file.h"

#define MAX_SECTIONS 2 /* .eh_frame and .debug_frame */

/* Where a section's FDEs are found: `hdr` if it has entries, else `index`. */
struct searched_section {
	struct cfi_section section;
	struct cfi_hdr hdr;
	bool hdr_is_complete; /* known to be; asked when it has no answer, as it takes a look at the whole section */
	struct cfi_index index;
};

struct cfi {
	const struct arch *arch;
	/* In the order in which they decide. Of their own, since a look-up may make an index. */
	struct searched_section *sections;
	unsigned int n_sections;
	struct go_functions go;
};

static int open_section(struct cfi *cfi, const struct cfi_sections *sections, bool is_eh)
{
	const struct elf_section *found = is_eh ? &sections->eh_frame : &sections->debug_frame;
	struct searched_section *s = &cfi->sections[cfi->n_sections];
	int err;

	if (!found->data)
		return -ENOENT;
	s->section = (struct cfi_section){
		.data = found->data,
		.size = found->size,
		.vaddr = found->vaddr,
		.is_eh = is_eh,
		.little_endian = cfi->arch->elf_data == ELFDATA2LSB,
		.address_size = cfi->arch->elf_class == ELFCLASS64 ? 8 : 4,
		.text_base = sections->text_base,
		.data_base = sections->data_base,
	};
	if (!is_eh || !sections->eh_frame_hdr.data ||
	    hdr_open(&sections->eh_frame_hdr, &s->section, &s->hdr)) {
		err = index_build(&s->section, &s->index);
		if (err)
			return err;
	}
	cfi->n_sections++;
	return 0;
}

int cfi_open_sections(const struct arch *arch, const struct cfi_sections *sections,
		      struct cfi **ret)
{
	struct cfi *cfi;
	int err, debug_err;

	if (!arch)
		return -ENOTSUP;
	cfi = calloc(1, sizeof(*cfi));
	if (!cfi)
		return -ENOMEM;
	cfi->sections = calloc(MAX_SECTIONS, sizeof(*cfi->sections));
	if (!cfi->sections) {
		free(cfi);
		return -ENOMEM;
	}
	cfi->arch = arch;
	cfi->go = sections->go;
	err = open_section(cfi, sections, true);
	debug_err = open_section(cfi, sections, false);
	/* One section is enough; a broken one beside it is the file's affair. */
	if (!cfi->n_sections) {
		cfi_close(cfi);
		return err != -ENOENT ? err : debug_err;
	}
	*ret = cfi;
	return 0;
}

void cfi_close(struct cfi *cfi)
{
	if (!cfi)
		return;
	for (unsigned int i = 0; i < cfi->n_sections; i++)
		index_clear(&cfi->sections[i].index);
	free(cfi->sections);
	free(cfi);
}

size_t cfi_bytes(const struct cfi *cfi)
{
	size_t bytes = sizeof(*cfi) + MAX_SECTIONS * sizeof(*cfi->sections);

	for (unsigned int i = 0; i < cfi->n_sections; i++)
		bytes += cfi->sections[i].index.n * sizeof(struct cfi_index_entry);
	return bytes;
}

const struct arch *cfi_arch(const struct cfi *cfi)
{
	return cfi->arch;
}

struct finder {
	uint64_t vaddr;
	struct cfi_row *ret;
};

static int find_row(const struct cfi_row *row, void *arg)
{
	struct finder *finder = arg;

	if (finder->vaddr < row->start || finder->vaddr >= row->end)
		return 0;
	*finder->ret = *row;
	return 1;
}

/* In the one FDE that hdr or index names. */
static int search_section(const struct searched_section *s, uint64_t vaddr, struct cfi_row *ret)
{
	struct finder finder = {vaddr, ret};
	struct cfa_machine machine;
	struct cfi_entry entry;
	struct cie cie;
	struct fde fde;
	size_t off;
	int err;

	if (s->hdr.n)
		err = hdr_find(&s->hdr, &s->section, vaddr, &off);
	else
		err = index_find(&s->index, vaddr, &off);
	if (err)
		return err;
	if (section_entry(&s->section, off, &entry) || entry.is_end || entry.is_cie ||
	    cie_parse(&s->section, entry.cie_off, &machine, &cie))
		return -EINVAL;
	err = fde_parse(&s->section, &entry, &cie, &fde);
	if (err)
		return err == -ENOENT ? err : -EINVAL;
	if (vaddr < fde.start || vaddr >= fde.end)
		return -ENOENT;
	if (cfa_check_fde(&machine, &s->section, &cie, &fde))
		return -EINVAL;
	/* The rows of a FDE cover it whole. */
	return cfa_run_fde(&machine, &s->section, &cie, &fde, find_row, &finder) == 1 ? 0 : -EINVAL;
}

static int section_find_row(struct searched_section *s, uint64_t vaddr, struct cfi_row *ret)
{
	int err = search_section(s, vaddr, ret);

	if (err != -ENOENT || !s->hdr.n || s->hdr_is_complete)
		return err;
	s->hdr_is_complete = hdr_is_complete(&s->hdr, &s->section);
	if (s->hdr_is_complete)
		return err;
	err = index_build(&s->section, &s->index);
	if (err)
		return err;
	s->hdr.n = 0;
	return search_section(s, vaddr, ret);
}

int cfi_find_row(const struct cfi *cfi, uint64_t vaddr, struct cfi_row *ret)
{
	struct cfi_row row;
	int err = -ENOENT;

	for (size_t i = 0; i < cfi->go.n; i++) {
		if (vaddr >= cfi->go.list[i].start && vaddr < cfi->go.list[i].end) {
			go_row(cfi->arch, &cfi->go.list[i], ret);
			return 0;
		}
	}
	for (unsigned int i = 0; i < cfi->n_sections; i++) {
		int e = section_find_row(&cfi->sections[i], vaddr, ret);

		if (!e && cfi->go.n && !cfi->sections[i].section.is_eh) {
			row = *ret;
			go_complete_row(cfi->arch, &cfi->go, &row, ret);
		}
		if (!e)
			return 0;
		/* "Malformed" says more than "not there". */
		if (e != -ENOENT)
			err = e;
	}
	return err;
}

static int section_for_each_row(const struct cfi_section *section, cfi_row_fn *row_fn,
				cfi_fde_fn *fde_fn, void *arg, struct cfi_stats *stats)
{
	struct cfi_walk *walk;
	struct cfi_entry entry;
	const struct cie *cie;
	struct fde fde;
	int err;

	err = walk_create(section, &walk);
	if (err)
		return err;
	while (!err && !walk_next(walk, stats, &entry, &cie, &fde))
		err = walk_rows(walk, cie, &fde, row_fn, fde_fn, arg, stats);
	walk_destroy(walk);
	return err;
}

/* Of .debug_frame of a Go program. */
struct completer {
	const struct cfi *cfi;
	cfi_row_fn *row_fn;
	cfi_fde_fn *fde_fn;
	void *arg;
	struct cfi_row row;
};

static int complete_row(const struct cfi_row *row, void *arg)
{
	struct completer *completer = arg;

	go_complete_row(completer->cfi->arch, &completer->cfi->go, row, &completer->row);
	return completer->row_fn(&completer->row, completer->arg);
}

static int complete_fde(bool is_good, void *arg)
{
	struct completer *completer = arg;

	return completer->fde_fn(is_good, completer->arg);
}

static int go_for_each_row(const struct cfi *cfi, cfi_row_fn *row_fn, cfi_fde_fn *fde_fn, void *arg,
			   struct cfi_stats *stats)
{
	struct cfi_row row;
	int err = 0;

	for (size_t i = 0; i < cfi->go.n && !err; i++) {
		go_row(cfi->arch, &cfi->go.list[i], &row);
		stats->rows++;
		err = row_fn(&row, arg);
		if (!err)
			err = fde_fn(true, arg);
	}
	return err;
}

int cfi_for_each_row(const struct cfi *cfi, cfi_row_fn *row_fn, cfi_fde_fn *fde_fn, void *arg,
		     struct cfi_stats *stats)
{
	struct completer completer = {cfi, row_fn, fde_fn, arg, {0}};
	struct cfi_stats counted = {0};
	int err = go_for_each_row(cfi, row_fn, fde_fn, arg, &counted);

	for (unsigned int i = 0; i < cfi->n_sections && !err; i++) {
		const struct cfi_section *section = &cfi->sections[i].section;

		if (cfi->go.n && !section->is_eh)
			err = section_for_each_row(section, complete_row, complete_fde, &completer,
						   &counted);
		else
			err = section_for_each_row(section, row_fn, fde_fn, arg, &counted);
	}
	if (stats)
		*stats = counted;
	return err;
}
