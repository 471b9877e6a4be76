/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include "cfi/section.h"

int section_entry(const struct cfi_section *section, size_t off, struct cfi_entry *ret)
{
	struct cfi_entry entry = {.off = off};
	unsigned int id_size = 4;
	struct cursor c;
	uint64_t length, id, id_off;

	if (off >= section->size)
		return -ENOENT;
	c = cursor_make(section->data + off, section->size - off, section->little_endian);
	length = cursor_uint(&c, 4);
	if (length == 0xffffffff) {
		length = cursor_uint(&c, 8);
		/* LSB: the id of .eh_frame has 4 bytes in both formats. */
		if (!section->is_eh)
			id_size = 8;
	}
	if (c.failed || length > cursor_left(&c))
		return -EINVAL;
	id_off = (uint64_t)(c.pos - section->data);
	entry.next = id_off + length;
	if (length == 0) {
		entry.is_end = true;
		*ret = entry;
		return 0;
	}
	c.end = c.pos + length;
	id = id_size == 4 ? cursor_uint(&c, 4) : cursor_uint(&c, 8);
	if (c.failed) {
		/* Too short to be anything; the next entry may still be good. */
		entry.body = entry.next;
		entry.cie_off = section->size;
		*ret = entry;
		return 0;
	}
	entry.body = id_off + id_size;
	if (section->is_eh) {
		entry.is_cie = id == 0;
		entry.cie_off = id <= id_off ? id_off - id : section->size;
	} else {
		entry.is_cie = id == (id_size == 4 ? 0xffffffff : ~0ULL);
		entry.cie_off = id;
	}
	*ret = entry;
	return 0;
}
