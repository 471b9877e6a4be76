/* SPDX-License-Identifier: BSD-2-Clause */
#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>
#include "cfi/cover.h"
#include "cfi/index.h"
#include "cfi/walk.h"
#include "elf/elf_file.h"

#define HDR_ENTRY_SIZE 8

/* Half of a table entry as an address; `field` 0: start of the function, 4: its FDE. */
static uint64_t hdr_value(const struct cfi_hdr *hdr, const struct cfi_section *section, size_t i,
			  unsigned int field)
{
	const uint8_t *bytes = hdr->table + HDR_ENTRY_SIZE * i + field;
	uint32_t value;

	if (section->little_endian)
		value = bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (uint32_t)bytes[3] << 24;
	else
		value = bytes[3] | bytes[2] << 8 | bytes[1] << 16 | (uint32_t)bytes[0] << 24;
	return (hdr->vaddr + (uint64_t)(int64_t)(int32_t)value) & hdr->mask;
}

/*
 * Every entry points into the section, and the starts ascend. With two equal starts, "the first in
 * section order decides" needs the index of our own.
 */
static bool hdr_is_sound(const struct cfi_hdr *hdr, const struct cfi_section *section)
{
	uint64_t previous = 0;

	for (size_t i = 0; i < hdr->n; i++) {
		uint64_t start = hdr_value(hdr, section, i, 0);
		uint64_t fde_off = hdr_value(hdr, section, i, 4) - section->vaddr;

		if (fde_off >= section->size || (i && start <= previous))
			return false;
		previous = start;
	}
	return true;
}

bool hdr_is_complete(const struct cfi_hdr *hdr, const struct cfi_section *section)
{
	struct cfi_entry entry;
	size_t n = 0;

	for (size_t off = 0; !section_entry(section, off, &entry); off = entry.next)
		n += !entry.is_cie && !entry.is_end;
	return n <= hdr->n;
}

int hdr_open(const struct elf_section *hdr, const struct cfi_section *section, struct cfi_hdr *ret)
{
	struct cursor c = cursor_make(hdr->data, hdr->size, section->little_endian);
	struct pointer_bases bases = {
		.vaddr = hdr->vaddr,
		.start = hdr->data,
		.data = hdr->vaddr,
		.address_size = section->address_size,
	};
	uint8_t version = cursor_u8(&c);
	uint8_t frame_encoding = cursor_u8(&c);
	uint8_t count_encoding = cursor_u8(&c);
	uint8_t table_encoding = cursor_u8(&c);
	struct cfi_hdr found = {
		.vaddr = hdr->vaddr,
		.mask = section->address_size == 8 ? ~0ULL : UINT32_MAX,
	};
	uint64_t frame, n;

	if (version != 1 || table_encoding != (DW_EH_PE_datarel | DW_EH_PE_sdata4) ||
	    pointer_read(&c, &bases, frame_encoding, &frame) ||
	    pointer_read(&c, &bases, count_encoding, &n))
		return -EINVAL;
	if (frame != section->vaddr || n == 0 || n > cursor_left(&c) / HDR_ENTRY_SIZE)
		return -EINVAL;
	found.table = c.pos;
	found.n = n;
	if (!hdr_is_sound(&found, section))
		return -EINVAL;
	*ret = found;
	return 0;
}

int hdr_find(const struct cfi_hdr *hdr, const struct cfi_section *section, uint64_t vaddr,
	     size_t *fde_off)
{
	size_t first = 0, n = hdr->n;

	while (n > 1) {
		size_t half = n / 2;

		if (hdr_value(hdr, section, first + half, 0) <= vaddr)
			first += half;
		n -= half;
	}
	if (hdr_value(hdr, section, first, 0) > vaddr)
		return -ENOENT;
	*fde_off = hdr_value(hdr, section, first, 4) - section->vaddr;
	return 0;
}

struct builder {
	struct cover_range *ranges;
	size_t *fde_offs;
	size_t n, capacity;
	struct cfi_index index;
};

static int add_fde(struct builder *b, const struct fde *fde, size_t fde_off)
{
	if (b->n == b->capacity) {
		size_t capacity = b->capacity ? 2 * b->capacity : 256;
		void *ranges = reallocarray(b->ranges, capacity, sizeof(b->ranges[0]));
		void *offs;

		if (!ranges)
			return -ENOMEM;
		b->ranges = ranges;
		offs = reallocarray(b->fde_offs, capacity, sizeof(b->fde_offs[0]));
		if (!offs)
			return -ENOMEM;
		b->fde_offs = offs;
		b->capacity = capacity;
	}
	b->ranges[b->n] = (struct cover_range){fde->start, fde->end};
	b->fde_offs[b->n++] = fde_off;
	return 0;
}

static int add_piece(uint64_t start, uint64_t end, size_t i, void *arg)
{
	struct builder *b = arg;

	b->index.entries[b->index.n++] = (struct cfi_index_entry){start, end, b->fde_offs[i]};
	return 0;
}

static int collect(const struct cfi_section *section, struct builder *b)
{
	struct cfi_stats stats = {0};
	struct cfi_walk *walk;
	struct cfi_entry entry;
	const struct cie *cie;
	struct fde fde;
	int err;

	err = walk_create(section, &walk);
	if (err)
		return err;
	while (!(err = walk_next(walk, &stats, &entry, &cie, &fde))) {
		err = walk_check(walk, cie, &fde) ? add_fde(b, &fde, entry.off) : 0;
		if (err)
			break;
	}
	walk_destroy(walk);
	return err == -ENOENT ? 0 : err;
}

int index_build(const struct cfi_section *section, struct cfi_index *ret)
{
	struct builder b = {0};
	int err;

	err = collect(section, &b);
	if (!err && b.n) {
		b.index.entries = calloc(2 * b.n, sizeof(b.index.entries[0]));
		err = b.index.entries ? cover_resolve(b.ranges, b.n, add_piece, &b) : -ENOMEM;
	}
	free(b.ranges);
	free(b.fde_offs);
	if (err) {
		index_clear(&b.index);
		return err;
	}
	/* Room was made for more pieces than there mostly are. */
	if (b.index.n) {
		void *shrunk = reallocarray(b.index.entries, b.index.n, sizeof(b.index.entries[0]));

		if (shrunk)
			b.index.entries = shrunk;
	}
	*ret = b.index;
	return 0;
}

void index_clear(struct cfi_index *index)
{
	free(index->entries);
	*index = (struct cfi_index){0};
}

int index_find(const struct cfi_index *index, uint64_t vaddr, size_t *fde_off)
{
	size_t first = 0, n = index->n;
	const struct cfi_index_entry *entry;

	if (n == 0)
		return -ENOENT;
	while (n > 1) {
		size_t half = n / 2;

		if (index->entries[first + half].start <= vaddr)
			first += half;
		n -= half;
	}
	entry = &index->entries[first];
	if (vaddr < entry->start || vaddr >= entry->end)
		return -ENOENT;
	*fde_off = entry->fde_off;
	return 0;
}
