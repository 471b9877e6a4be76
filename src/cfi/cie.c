/* SPDX-License-Identifier: BSD-2-Clause */
#include <dwarf.h>
#include <errno.h>
#include "cfi/cfa_program.h"
#include "cfi/section.h"

/*
 * CIEs seen in the field have well under 100 bytes. The bound keeps a hostile section, in which
 * every FDE names a large CIE, from taking quadratic time.
 */
#define MAX_CIE_SIZE 4096

struct pointer_bases section_bases(const struct cfi_section *section, const struct cie *cie,
				   uint64_t func)
{
	return (struct pointer_bases){
		.vaddr = section->vaddr,
		.start = section->data,
		.text = section->text_base,
		.data = section->data_base,
		.func = func,
		.address_size = cie->address_size,
	};
}

/*
 * Letters behind a 'z' (LSB 10.6.1.1.1). What follows an unknown one cannot be located, but skipped
 * as a whole.
 */
static int parse_augmentation_data(const struct cfi_section *section, struct cursor *c,
				   const char *letters, struct cie *cie)
{
	struct pointer_bases bases = section_bases(section, cie, 0);
	uint64_t personality;
	uint8_t encoding;

	for (; *letters; letters++) {
		switch (*letters) {
		case 'L':
			cursor_u8(c);
			break;
		case 'R':
			cie->fde_encoding = cursor_u8(c);
			break;
		case 'P':
			encoding = cursor_u8(c);
			if (encoding != DW_EH_PE_omit &&
			    pointer_read(c, &bases, encoding, &personality) == -EINVAL)
				return -EINVAL;
			break;
		case 'S':
			cie->signal_frame = true;
			break;
		case 'B': /* AArch64: return addresses are signed with key B */
		case 'G': /* AArch64: the frame has memory tags */
			break;
		default:
			return 0;
		}
	}
	return c->failed ? -EINVAL : 0;
}

static int parse_augmentation(const struct cfi_section *section, struct cursor *c,
			      const char *letters, struct cie *cie)
{
	struct cursor data;
	const uint8_t *bytes;
	uint64_t size;

	if (*letters != 'z') {
		if (!strcmp(letters, "eh")) /* was dealt with before */
			return 0;
		/* Others say nothing about their size; in .debug_frame GNU as writes those without data in this way. */
		if (letters[strspn(letters, "SBG")])
			return -ENOTSUP;
		cie->signal_frame = strchr(letters, 'S') != NULL;
		return 0;
	}
	size = cursor_uleb(c);
	bytes = cursor_take(c, size);
	if (!bytes)
		return -EINVAL;
	cie->has_augmentation_size = true;
	data = cursor_make(bytes, size, c->little_endian);
	return parse_augmentation_data(section, &data, letters + 1, cie);
}

static int parse_header(const struct cfi_section *section, struct cursor *c, struct cie *cie)
{
	uint8_t version = cursor_u8(c);
	const char *augmentation = cursor_string(c);
	uint64_t ra_column;

	if (!augmentation || (version != 1 && version != 3 && version != 4))
		return -EINVAL;
	cie->address_size = section->address_size;
	cie->segment_size = 0;
	if (version == 4) {
		cie->address_size = cursor_u8(c);
		cie->segment_size = cursor_u8(c);
		if ((cie->address_size != 4 && cie->address_size != 8) || cie->segment_size > 8)
			return -EINVAL;
	}
	/* GCC 2: a pointer to exception tables. */
	if (!strcmp(augmentation, "eh"))
		cursor_take(c, cie->address_size);
	cie->code_align = cursor_uleb(c);
	cie->data_align = cursor_sleb(c);
	ra_column = version == 1 ? cursor_u8(c) : cursor_uleb(c);
	if (c->failed || ra_column >= CFI_MAX_REGS)
		return -EINVAL;
	cie->ra_column = ra_column;
	return parse_augmentation(section, c, augmentation, cie);
}

int cie_parse(const struct cfi_section *section, size_t off, struct cfa_machine *machine,
	      struct cie *ret)
{
	struct cfi_entry entry;
	struct cursor c;
	int err;

	err = section_entry(section, off, &entry);
	if (err || entry.is_end || !entry.is_cie || entry.next - off > MAX_CIE_SIZE)
		return -EINVAL;
	c = cursor_make(section->data + entry.body, entry.next - entry.body,
			section->little_endian);
	ret->off = off;
	ret->next = entry.next;
	ret->fde_encoding = DW_EH_PE_absptr;
	ret->has_augmentation_size = false;
	ret->signal_frame = false;
	err = parse_header(section, &c, ret);
	if (err)
		return err;
	ret->program = c.pos;
	ret->program_size = cursor_left(&c);
	return cfa_run_cie(machine, section, ret);
}

int fde_parse(const struct cfi_section *section, const struct cfi_entry *entry,
	      const struct cie *cie, struct fde *ret)
{
	struct cursor c = cursor_make(section->data + entry->body, entry->next - entry->body,
				      section->little_endian);
	struct pointer_bases bases = section_bases(section, cie, 0);
	uint64_t start, range, end;
	int err;

	cursor_take(&c, cie->segment_size);
	err = pointer_read(&c, &bases, cie->fde_encoding, &start);
	if (err)
		return err;
	/* The size of the range has the same format but is relative to nothing. */
	err = pointer_read(&c, &bases, cie->fde_encoding & 0x0f, &range);
	if (err)
		return err;
	if (cie->has_augmentation_size)
		cursor_take(&c, cursor_uleb(&c));
	if (c.failed)
		return -EINVAL;
	if (start == 0 || range == 0)
		return -ENOENT;
	if (__builtin_add_overflow(start, range, &end) ||
	    (cie->address_size == 4 && end > 1ULL << 32))
		return -EINVAL;
	*ret = (struct fde){
		.start = start,
		.end = end,
		.program = c.pos,
		.program_size = cursor_left(&c),
	};
	return 0;
}
