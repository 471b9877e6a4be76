/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SYMBOLIZE_DEBUG_ENTRIES_H
#define SYMBOLIZE_DEBUG_ENTRIES_H

#include <elfutils/libdw.h>

/*
 * Replaces *die by the entry behind it and all that is inside it; 1: it is the last one of its list. `end`: where the list of its children
 * ends, with an entry that is none; its address NULL: they were not visited, or it is not known. Where *die is the last one, it is then where
 * the list that *die is in ends: so each entry is read once. dwarf_siblingof() would go through all children again, and at each level above
 * once more, where compilers (clang, rustc) leave out DW_AT_sibling.
 */
int debug_next_entry(Dwarf_Die *die, Dwarf_Die *end);

#endif
