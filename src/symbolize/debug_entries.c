/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolize/debug_entries.h"

#include <dwarf.h>

/* Of the same unit: 0; else `ret` has no address. */
static int entry_at(Dwarf_Die *die, const void *addr, Dwarf_Die *ret)
{
	Dwarf_Off offset =
		dwarf_dieoffset(die) + (Dwarf_Off)((const char *)addr - (const char *)die->addr);

	if (dwarf_offdie(dwarf_cu_getdwarf(die->cu), offset, ret) && ret->cu == die->cu)
		return 0;
	ret->addr = NULL;
	return 1;
}

int debug_next_entry(Dwarf_Die *die, Dwarf_Die *end)
{
	Dwarf_Die next = {0};
	int last;

	/* Where there is no sibling, libdw leaves in `next` where the list ends. */
	if (!end->addr)
		last = dwarf_siblingof(die, &next);
	else
		last = entry_at(die, (const char *)end->addr + 1, &next) ||
		       dwarf_tag(&next) == DW_TAG_invalid;
	if (last)
		*end = next;
	else
		*die = next;
	return last;
}
