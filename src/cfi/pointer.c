/* SPDX-License-Identifier: BSD-2-Clause */
#include <dwarf.h>
#include <errno.h>
#include "cfi/section.h"

static uint64_t read_value(struct cursor *c, const struct pointer_bases *bases, uint8_t format)
{
	switch (format) {
	case DW_EH_PE_absptr:
		return cursor_uint(c, bases->address_size);
	case DW_EH_PE_signed:
		return (uint64_t)cursor_sint(c, bases->address_size);
	case DW_EH_PE_uleb128:
		return cursor_uleb(c);
	case DW_EH_PE_sleb128:
		return (uint64_t)cursor_sleb(c);
	case DW_EH_PE_udata2:
		return cursor_uint(c, 2);
	case DW_EH_PE_sdata2:
		return (uint64_t)cursor_sint(c, 2);
	case DW_EH_PE_udata4:
		return cursor_uint(c, 4);
	case DW_EH_PE_sdata4:
		return (uint64_t)cursor_sint(c, 4);
	case DW_EH_PE_udata8:
	case DW_EH_PE_sdata8:
		return cursor_uint(c, 8);
	default:
		c->failed = true;
		return 0;
	}
}

int pointer_read(struct cursor *c, const struct pointer_bases *bases, uint8_t encoding,
		 uint64_t *ret)
{
	uint64_t here = bases->vaddr + (uint64_t)(c->pos - bases->start);
	uint64_t mask = bases->address_size < 8 ? (1ULL << 8 * bases->address_size) - 1 : ~0ULL;
	uint64_t base, value;

	switch (encoding & 0x70) {
	case DW_EH_PE_absptr:
		base = 0;
		break;
	case DW_EH_PE_pcrel:
		base = here;
		break;
	case DW_EH_PE_textrel:
		base = bases->text;
		break;
	case DW_EH_PE_datarel:
		base = bases->data;
		break;
	case DW_EH_PE_funcrel:
		base = bases->func;
		break;
	case DW_EH_PE_aligned:
		base = 0;
		cursor_take(c, -here & (bases->address_size - 1));
		break;
	default:
		return -EINVAL;
	}
	value = read_value(c, bases, encoding & 0x0f);
	if (c->failed)
		return -EINVAL;
	if (encoding & DW_EH_PE_indirect)
		return -ENOTSUP;
	/* A null pointer is null whatever it is relative to. */
	*ret = value ? (base + value) & mask : 0;
	return 0;
}
