/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolize/debug_scope.h"

#include <dwarf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grow.h"
#include "symbolize/debug_entries.h"
#include "symbolize/debug_protocol.h"

#define NONE UINT32_MAX
#define MAX_SCOPES (1u << 20)
/* Scopes in one another; C++ templates do about 20. Deeper ones count as the one around them. */
#define MAX_NESTING 64

static bool is_scope(int tag)
{
	switch (tag) {
	case DW_TAG_namespace:
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
	case DW_TAG_subprogram:
	case DW_TAG_lexical_block:
		return true;
	default:
		return false;
	}
}

/* Offset of what lies at `addr` of the same unit as `die`. */
static uint64_t offset_of(Dwarf_Die *die, const void *addr)
{
	return dwarf_dieoffset(die) + (uint64_t)((const char *)addr - (const char *)die->addr);
}

static int scan(struct debug_scopes *scopes, Dwarf_Die *parent, uint32_t inside, uint32_t depth,
		Dwarf_Die *end);

/* What is inside of *die; then *die and `end` as debug_next_entry() does. */
static int scan_scope(struct debug_scopes *scopes, Dwarf_Die *die, uint32_t inside, uint32_t depth,
		      Dwarf_Die *end, int *last)
{
	struct address_range range = {.start = dwarf_dieoffset(die), .end = UINT64_MAX};
	Dwarf_Die begin = *die;
	int err = grow((void **)&scopes->scopes, &scopes->size, scopes->n, sizeof(*scopes->scopes));

	if (err)
		return err;
	range.depth = depth;
	range.value = (uint32_t)scopes->n;
	scopes->scopes[scopes->n++] = (struct debug_scope){*die, inside};
	err = scan(scopes, &begin, range.value, depth + 1, end);
	if (err)
		return err;
	*last = debug_next_entry(die, end);
	if (!*last)
		range.end = dwarf_dieoffset(die);
	else if (end->addr)
		range.end = offset_of(&begin, end->addr);
	return range_map_add(&scopes->map, &range);
}

static int scan(struct debug_scopes *scopes, Dwarf_Die *parent, uint32_t inside, uint32_t depth,
		Dwarf_Die *end)
{
	Dwarf_Die die;
	int err = 0, last;

	if (dwarf_child(parent, &die))
		return 0;
	if (depth > MAX_NESTING) {
		scopes->losses[LOSS_NESTING]++;
		return 0;
	}
	do {
		bool wanted = is_scope(dwarf_tag(&die)) && dwarf_haschildren(&die);

		end->addr = NULL;
		scopes->losses[LOSS_RANGES] += wanted && scopes->n == MAX_SCOPES;
		if (wanted && scopes->n < MAX_SCOPES)
			err = scan_scope(scopes, &die, inside, depth, end, &last);
		else
			last = debug_next_entry(&die, end);
	} while (!err && !last);
	return err;
}

static void load(struct debug_scopes *scopes, Dwarf_Die *unit)
{
	Dwarf_Die end = {0};

	scopes->known = true;
	if (scan(scopes, unit, NONE, 0, &end) || range_map_finish(&scopes->map)) {
		range_map_free(&scopes->map);
		free(scopes->scopes);
		scopes->scopes = NULL;
		scopes->n = scopes->size = 0;
	}
}

/* Where it was declared, for the instance of an inlined function. */
static void find_declaration(Dwarf_Die *die)
{
	Dwarf_Attribute attr;

	for (int i = 0; i < 8; i++) {
		Dwarf_Die next;

		if (!dwarf_formref_die(dwarf_attr(die, DW_AT_abstract_origin, &attr), &next) &&
		    !dwarf_formref_die(dwarf_attr(die, DW_AT_specification, &attr), &next))
			return;
		*die = next;
	}
}

/* Puts it before what begins at `text[at]`; the new beginning. */
static size_t prepend(char *text, size_t at, const char *part)
{
	size_t size = strlen(part);

	if (size > at)
		return 0;
	memcpy(text + at - size, part, size);
	return at - size;
}

/* `behind`: what follows the name. */
static const char *name_of_scope(Dwarf_Die *die, const char *behind)
{
	Dwarf_Attribute attr;
	const char *name = dwarf_formstring(dwarf_attr_integrate(die, DW_AT_name, &attr));

	if (name && name[0])
		return name;
	if (dwarf_tag(die) == DW_TAG_namespace)
		return "(anonymous namespace)";
	return strncmp(behind, "::operator()", 12) == 0 ? "{lambda}" : "{unnamed}";
}

static const char *with_scopes(struct debug_scopes *scopes, Dwarf_Die *unit, Dwarf_Die *die,
			       const char *name)
{
	char text[DEBUG_MAX_TEXT];
	size_t begin = sizeof(text) - 1;
	Dwarf_Die declaration = *die;
	const char *kept;
	uint32_t number;

	find_declaration(&declaration);
	if (declaration.cu != unit->cu)
		return name;
	if (!scopes->known)
		load(scopes, unit);
	text[begin] = '\0';
	begin = prepend(text, begin, name);
	if (!range_map_find(&scopes->map, dwarf_dieoffset(&declaration), &number))
		return name;
	/* A function with children is a scope itself. */
	if (scopes->scopes[number].die.addr == declaration.addr)
		number = scopes->scopes[number].parent;
	for (; number != NONE && begin; number = scopes->scopes[number].parent) {
		Dwarf_Die *scope = &scopes->scopes[number].die;

		if (dwarf_tag(scope) == DW_TAG_lexical_block)
			continue;
		begin = prepend(text, begin, "::");
		begin = prepend(text, begin, name_of_scope(scope, text + begin));
	}
	kept = begin ? strings_keep(&scopes->names, text + begin) : NULL;
	return kept ? kept : name;
}

bool debug_is_cxx(Dwarf_Die *unit)
{
	switch (dwarf_srclang(unit)) {
	case DW_LANG_C_plus_plus:
	case DW_LANG_C_plus_plus_03:
	case DW_LANG_C_plus_plus_11:
	case DW_LANG_C_plus_plus_14:
		return true;
	default:
		return false;
	}
}

const char *debug_function_name(struct debug_scopes *scopes, Dwarf_Die *unit, Dwarf_Die *die)
{
	static const unsigned int names[] = {DW_AT_linkage_name, DW_AT_MIPS_linkage_name};
	Dwarf_Attribute attr;
	const char *name;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		name = dwarf_formstring(dwarf_attr_integrate(die, names[i], &attr));
		if (name && name[0])
			return name;
	}
	name = dwarf_formstring(dwarf_attr_integrate(die, DW_AT_name, &attr));
	if (!name || !name[0])
		return NULL;
	return debug_is_cxx(unit) ? with_scopes(scopes, unit, die, name) : name;
}

size_t debug_scopes_bytes(const struct debug_scopes *scopes)
{
	return scopes->size * sizeof(*scopes->scopes) + range_map_bytes(&scopes->map) +
	       scopes->names.bytes;
}

void debug_scopes_free(struct debug_scopes *scopes)
{
	free(scopes->scopes);
	range_map_free(&scopes->map);
	strings_free(&scopes->names);
	*scopes = (struct debug_scopes){0};
}
