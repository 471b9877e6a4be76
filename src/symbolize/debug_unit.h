/* SPDX-License-Identifier: BSD-2-Clause */
/* A unit of .debug_info: its functions, what is inlined in them, its lines. Private to debug_info.c and debug_unit.c. */
#ifndef SYMBOLIZE_DEBUG_UNIT_H
#define SYMBOLIZE_DEBUG_UNIT_H

#include <elfutils/libdw.h>
#include <stdbool.h>

#include "symbolize/debug_info.h"
#include "symbolize/debug_scope.h"
#include "symbolize/losses.h"
#include "symbolize/range_map.h"

/* A function that was inlined. */
struct inlined_call {
	Dwarf_Die die;
	uint32_t parent; /* number of the one that it is in; UINT32_MAX: the function itself */
};

struct debug_function {
	Dwarf_Die die;
	bool inlines_known;
	struct inlined_call *calls;
	size_t n_calls, size;
	struct range_map call_map; /* -> number of a call */
};

/* Code of a function; it may have several parts. */
struct function_part {
	uint32_t function;
	uint64_t start;
};

struct debug_unit {
	Dwarf_Die die;	/* with the lines */
	Dwarf_Die tree; /* with the functions: the same but for split DWARF */
	bool loaded;
	bool nested_known; /* functions inside others have been looked for */
	struct debug_function *functions;
	size_t n_functions, functions_size;
	struct function_part *parts;
	size_t n_parts, parts_size;
	struct range_map part_map; /* -> number of a part */
	struct debug_scopes scopes;
	Dwarf_Files *files;
	size_t n_files;
	Dwarf_Lines *lines;
	size_t n_lines;
	size_t bytes;	  /* of memory, about, libdw's included */
	uint32_t *losses; /* as debug_info_open() was given */
};

/* 0, or -ENOMEM, or -ENOENT: the unit has nothing at `vaddr`. */
int debug_unit_find(struct debug_unit *unit, uint64_t vaddr, struct debug_frames *ret);
void debug_unit_free(struct debug_unit *unit);

/* Calls range_map_add() for each of the entry's ranges that can be of code. */
int debug_add_ranges(Dwarf_Die *die, uint32_t depth, uint32_t value, struct range_map *map,
		     uint32_t *losses);

#endif
