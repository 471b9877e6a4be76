/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolize/debug_unit.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>

#include "grow.h"
#include "symbolize/debug_entries.h"

#define NONE UINT32_MAX

/* Entries nest this deep at most where functions are looked for; compilers' do about 20. */
#define MAX_NESTING 64

/* Ranges of one map; a unit of 100,000 lines has some thousands. A hostile list could be every function's. */
#define MAX_RANGES (1u << 20)

/* About what libdw keeps for a line. */
#define LINE_BYTES 64

int debug_add_ranges(Dwarf_Die *die, uint32_t depth, uint32_t value, struct range_map *map,
		     uint32_t *losses)
{
	struct address_range range = {.depth = depth, .value = value};
	Dwarf_Addr base = 0, start, end;
	ptrdiff_t next = 0;
	int err = 0;

	for (unsigned int n = 0; !err; n++) {
		next = dwarf_ranges(die, next, &base, &start, &end);
		if (next <= 0)
			break;
		if (n == MAX_RANGES || map->n_ranges >= MAX_RANGES) {
			losses[LOSS_RANGES]++;
			break;
		}
		range.start = start;
		range.end = end;
		/* What the linker left out has kept its debug information, with addresses from 0 (or 1) on. */
		if (start > 1)
			err = range_map_add(map, &range);
	}
	return err;
}

/* Functions. */

/* Every part of it gets a number, so that its start is known. */
static int add_parts(struct debug_unit *unit, uint32_t function, uint32_t depth)
{
	struct range_map ranges = {0};
	int err = debug_add_ranges(&unit->functions[function].die, depth, function, &ranges,
				   unit->losses);

	for (size_t i = 0; i < ranges.n_ranges && !err; i++) {
		struct address_range range = ranges.ranges[i];

		if (unit->n_parts >= MAX_RANGES) {
			unit->losses[LOSS_RANGES]++;
			break;
		}
		err = grow((void **)&unit->parts, &unit->parts_size, unit->n_parts,
			   sizeof(*unit->parts));
		if (err)
			break;
		unit->parts[unit->n_parts] = (struct function_part){function, range.start};
		range.value = (uint32_t)unit->n_parts++;
		err = range_map_add(&unit->part_map, &range);
	}
	range_map_free(&ranges);
	return err;
}

static int add_function(struct debug_unit *unit, Dwarf_Die *die, uint32_t depth)
{
	int err;

	/* Most entries are declarations, or of functions that are inlined everywhere. */
	if (!dwarf_hasattr(die, DW_AT_low_pc) && !dwarf_hasattr(die, DW_AT_ranges))
		return 0;
	if (unit->n_functions >= MAX_RANGES) {
		unit->losses[LOSS_RANGES]++;
		return 0;
	}
	err = grow((void **)&unit->functions, &unit->functions_size, unit->n_functions,
		   sizeof(*unit->functions));
	if (err)
		return err;
	unit->functions[unit->n_functions] = (struct debug_function){.die = *die};
	return add_parts(unit, (uint32_t)unit->n_functions++, depth);
}

struct scan {
	struct debug_unit *unit;
	bool types;  /* functions may be defined inside types */
	bool nested; /* and inside functions */
};

static bool may_hold_functions(const struct scan *scan, int tag)
{
	switch (tag) {
	case DW_TAG_namespace:
	case DW_TAG_module:
		return true;
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type:
	case DW_TAG_interface_type:
		return scan->types || scan->nested;
	case DW_TAG_subprogram:
	case DW_TAG_lexical_block:
		return scan->nested;
	default:
		return false;
	}
}

/* *end: as of debug_next_entry(). */
static int scan_functions(const struct scan *scan, Dwarf_Die *parent, uint32_t depth,
			  Dwarf_Die *end)
{
	Dwarf_Die die;
	int err = 0;

	if (dwarf_child(parent, &die))
		return 0;
	if (depth > MAX_NESTING) {
		scan->unit->losses[LOSS_NESTING]++;
		return 0;
	}
	do {
		int tag = dwarf_tag(&die);

		end->addr = NULL;
		if (tag == DW_TAG_subprogram)
			err = add_function(scan->unit, &die, depth);
		if (!err && may_hold_functions(scan, tag))
			err = scan_functions(scan, &die, depth + 1, end);
	} while (!err && debug_next_entry(&die, end) == 0);
	return err;
}

/* C and C++ define functions beside the types that they declare them in, and the types are most of a unit. */
static bool defines_in_types(Dwarf_Die *die)
{
	switch (dwarf_srclang(die)) {
	case DW_LANG_C:
	case DW_LANG_C89:
	case DW_LANG_C99:
	case DW_LANG_C11:
	case DW_LANG_Mips_Assembler:
		return false;
	default:
		return !debug_is_cxx(die);
	}
}

static void free_functions(struct debug_unit *unit)
{
	for (size_t i = 0; i < unit->n_functions; i++) {
		free(unit->functions[i].calls);
		range_map_free(&unit->functions[i].call_map);
	}
	free(unit->functions);
	free(unit->parts);
	range_map_free(&unit->part_map);
	unit->functions = NULL;
	unit->parts = NULL;
	unit->n_functions = unit->functions_size = 0;
	unit->n_parts = unit->parts_size = 0;
}

static int load_functions(struct debug_unit *unit, bool nested)
{
	const struct scan scan = {unit, defines_in_types(&unit->tree), nested};
	Dwarf_Die end = {0};
	int err;

	free_functions(unit);
	err = scan_functions(&scan, &unit->tree, 0, &end);
	if (!err)
		err = range_map_finish(&unit->part_map);
	if (err)
		free_functions(unit);
	else
		unit->bytes += range_map_bytes(&unit->part_map) +
			       unit->functions_size * sizeof(*unit->functions) +
			       unit->parts_size * sizeof(*unit->parts);
	return err;
}

static int load(struct debug_unit *unit)
{
	int err;

	if (unit->loaded)
		return 0;
	err = load_functions(unit, false);
	if (err)
		return err;
	/* Without them, names are still known. */
	if (dwarf_getsrclines(&unit->die, &unit->lines, &unit->n_lines))
		unit->lines = NULL;
	if (dwarf_getsrcfiles(&unit->tree, &unit->files, &unit->n_files))
		unit->files = NULL;
	unit->bytes += unit->n_lines * LINE_BYTES;
	unit->loaded = true;
	return 0;
}

/* What is inlined. */

static int scan_calls(struct debug_unit *unit, struct debug_function *function, Dwarf_Die *parent,
		      uint32_t call, uint32_t depth, Dwarf_Die *end)
{
	Dwarf_Die die;
	int err = 0;

	if (dwarf_child(parent, &die))
		return 0;
	if (depth >= DEBUG_MAX_DEPTH - 1) {
		unit->losses[LOSS_DEPTH]++;
		return 0;
	}
	do {
		uint32_t inside = call;

		end->addr = NULL;
		switch (dwarf_tag(&die)) {
		case DW_TAG_inlined_subroutine:
			if (function->n_calls >= MAX_RANGES) {
				unit->losses[LOSS_RANGES]++;
				return 0;
			}
			err = grow((void **)&function->calls, &function->size, function->n_calls,
				   sizeof(*function->calls));
			if (err)
				return err;
			inside = (uint32_t)function->n_calls;
			function->calls[function->n_calls++] = (struct inlined_call){die, call};
			err = debug_add_ranges(&die, depth, inside, &function->call_map,
					       unit->losses);
			break;
		case DW_TAG_lexical_block:
		case DW_TAG_try_block:
		case DW_TAG_catch_block:
			break;
		default:
			continue;
		}
		if (!err)
			err = scan_calls(unit, function, &die, inside, depth + 1, end);
	} while (!err && debug_next_entry(&die, end) == 0);
	return err;
}

static int load_calls(struct debug_unit *unit, struct debug_function *function)
{
	Dwarf_Die end = {0};
	int err;

	if (function->inlines_known)
		return 0;
	err = scan_calls(unit, function, &function->die, NONE, 0, &end);
	if (!err)
		err = range_map_finish(&function->call_map);
	if (err) {
		free(function->calls);
		function->calls = NULL;
		function->n_calls = function->size = 0;
		range_map_free(&function->call_map);
		return err;
	}
	unit->bytes +=
		function->size * sizeof(*function->calls) + range_map_bytes(&function->call_map);
	function->inlines_known = true;
	return 0;
}

/* Answers. */

static const char *name_of(struct debug_unit *unit, Dwarf_Die *die)
{
	size_t before = debug_scopes_bytes(&unit->scopes);
	const char *name = debug_function_name(&unit->scopes, &unit->tree, die);

	unit->bytes += debug_scopes_bytes(&unit->scopes) - before;
	return name;
}

static uint32_t number_of(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attr;
	Dwarf_Word value;

	if (dwarf_formudata(dwarf_attr(die, name, &attr), &value) || value > UINT32_MAX)
		return 0;
	return (uint32_t)value;
}

/* The place from which an inlined function is called: in the frame around it. */
static void set_call_place(struct debug_unit *unit, Dwarf_Die *call, struct debug_frame *frame)
{
	uint32_t file = number_of(call, DW_AT_call_file);

	if (unit->files && file < unit->n_files)
		frame->file = dwarf_filesrc(unit->files, file, NULL, NULL);
	frame->line = number_of(call, DW_AT_call_line);
	frame->column = number_of(call, DW_AT_call_column);
}

static void set_line_place(struct debug_unit *unit, uint64_t vaddr, struct debug_frame *frame)
{
	Dwarf_Line *line = unit->lines ? dwarf_getsrc_die(&unit->die, vaddr) : NULL;
	int number = 0, column = 0;

	if (!line)
		return;
	frame->file = dwarf_linesrc(line, NULL, NULL);
	if (dwarf_lineno(line, &number) == 0 && number > 0)
		frame->line = (uint32_t)number;
	if (dwarf_linecol(line, &column) == 0 && column > 0)
		frame->column = (uint32_t)column;
}

static struct function_part *find_part(struct debug_unit *unit, uint64_t vaddr, int *err)
{
	uint32_t part;

	*err = 0;
	if (range_map_find(&unit->part_map, vaddr, &part))
		return &unit->parts[part];
	if (unit->nested_known)
		return NULL;
	unit->nested_known = true;
	*err = load_functions(unit, true);
	if (*err)
		unit->loaded = false;
	if (!*err && range_map_find(&unit->part_map, vaddr, &part))
		return &unit->parts[part];
	return NULL;
}

int debug_unit_find(struct debug_unit *unit, uint64_t vaddr, struct debug_frames *ret)
{
	struct debug_function *function;
	struct function_part *part;
	Dwarf_Attribute attr;
	const char *folder;
	uint32_t call;
	int err = load(unit);

	if (err)
		return err;
	part = find_part(unit, vaddr, &err);
	if (err)
		return err;
	ret->n = 1;
	ret->frames[0] = (struct debug_frame){0};
	set_line_place(unit, vaddr, &ret->frames[0]);
	if (!part)
		return ret->frames[0].file ? 0 : -ENOENT;
	function = &unit->functions[part->function];
	err = load_calls(unit, function);
	if (err)
		return err;
	ret->start = part->start;
	if (!range_map_find(&function->call_map, vaddr, &call))
		call = NONE;
	for (; call != NONE && ret->n < DEBUG_MAX_DEPTH; call = function->calls[call].parent) {
		Dwarf_Die *die = &function->calls[call].die;

		ret->frames[ret->n - 1].name = name_of(unit, die);
		ret->frames[ret->n] = (struct debug_frame){0};
		set_call_place(unit, die, &ret->frames[ret->n++]);
	}
	ret->frames[ret->n - 1].name = name_of(unit, &function->die);
	folder = dwarf_formstring(dwarf_attr(&unit->die, DW_AT_comp_dir, &attr));
	for (size_t i = 0; i < ret->n; i++)
		ret->frames[i].folder = folder;
	return 0;
}

void debug_unit_free(struct debug_unit *unit)
{
	free_functions(unit);
	debug_scopes_free(&unit->scopes);
}
