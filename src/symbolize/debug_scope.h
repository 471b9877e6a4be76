/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the entries of a unit are inside of: namespaces, types, functions. For functions that the linker has no name of: lambdas, what is local to
 * a file or made from a type that is.
 */
#ifndef SYMBOLIZE_DEBUG_SCOPE_H
#define SYMBOLIZE_DEBUG_SCOPE_H

#include <elfutils/libdw.h>
#include <stdbool.h>

#include "symbolize/range_map.h"
#include "symbolize/strings.h"

struct debug_scopes {
	bool known;
	uint32_t *losses; /* as debug_info_open() was given */
	struct debug_scope {
		Dwarf_Die die;
		uint32_t parent; /* number; UINT32_MAX: the unit */
	} * scopes;
	size_t n, size;
	struct range_map
		map; /* offset of an entry -> number of the innermost scope that it is in, or is */
	struct strings names; /* that were asked for */
};

/*
 * Of the entry `die` of the unit `unit`: as the linker sees it; else as written, in C++ as one would write it outside of all scopes:
 * "app::(anonymous namespace)::name", "main::{lambda}::operator()"; without the scopes where there is no memory or it gets too long. NULL:
 * it has none. Valid until debug_scopes_free().
 */
const char *debug_function_name(struct debug_scopes *scopes, Dwarf_Die *unit, Dwarf_Die *die);
size_t debug_scopes_bytes(const struct debug_scopes *scopes);
void debug_scopes_free(struct debug_scopes *scopes);

bool debug_is_cxx(Dwarf_Die *unit);

#endif
