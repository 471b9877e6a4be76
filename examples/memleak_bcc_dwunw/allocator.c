/* SPDX-License-Identifier: BSD-2-Clause */
/* Of one file: where the probes of its functions go. */
#include "allocator.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allocator_functions.h"
#include "allocator_internal.h"
#include "elf/elf_file.h"
#include "placement.h"
#include "process/process.h"

/* Where the probe of a function goes, as an offset in the file. */
static int place(struct elf_file *elf, uint64_t vaddr, uint64_t size, unsigned int n_args,
		 bool has_return_probe, uint64_t *ret, struct placement *placement)
{
	const uint8_t *code;
	size_t n;
	int err = elf_file_bytes_at(elf, vaddr, &code, &n);

	if (err)
		return err;
	if (n > size)
		n = size;
	placement_find_args(code, n, vaddr, n_args, has_return_probe, placement);
	return elf_file_vaddr_to_off(elf, vaddr + placement->offset, ret);
}

/* Two names of one function (aligned_alloc and memalign in glibc) get one probe. */
static bool is_probed(const struct allocator *allocator, uint64_t offset)
{
	for (size_t i = 0; i < allocator->n_probes; i++) {
		if (allocator->probes[i].offset == offset)
			return true;
	}
	return false;
}

static void note_missing(struct allocator *allocator, const char *name)
{
	size_t used = strlen(allocator->missing);

	snprintf(allocator->missing + used, sizeof(allocator->missing) - used, "%s%s",
		 used ? ", " : "", name);
}

static enum allocator_role role_of(enum memleak_function kind)
{
	return kind == MEMLEAK_FREE ? ALLOCATOR_FREE : ALLOCATOR_CALL;
}

static void add_probe(struct allocator *allocator, uint64_t offset, enum memleak_function kind,
		      enum allocator_role role, const struct placement *placement)
{
	size_t n = allocator->n_probes;

	allocator->probes[n] = (struct probe){.offset = offset, .cookie = kind};
	allocator->roles[n] = role;
	allocator->moved[n] = placement->offset != 0;
	allocator->single_stepped[n] = !placement->emulated;
	allocator->n_probes++;
}

static void add_function(struct allocator *allocator, struct elf_file *elf, const char *name,
			 const struct allocator_function *function)
{
	enum allocator_role role = role_of(function->kind);
	struct placement placement;
	uint64_t vaddr, size, offset;

	if (elf_file_find_function(elf, name, &vaddr, &size) ||
	    place(elf, vaddr, size, function->n_args, role != ALLOCATOR_FREE, &offset,
		  &placement)) {
		if (!(function->flags & ALLOCATOR_OPTIONAL))
			note_missing(allocator, name);
		return;
	}
	if (!is_probed(allocator, offset) && allocator->n_probes < ALLOCATOR_MAX_PROBES)
		add_probe(allocator, offset, function->kind, role, &placement);
}

void allocator_add_functions(struct allocator *allocator, const struct module *module,
			     const char *prefix)
{
	for (size_t i = 0; i < allocator_n_functions; i++) {
		const struct allocator_function *function = &allocator_functions[i];
		char *name;

		if (asprintf(&name, "%s%s", function->flags & ALLOCATOR_PLAIN ? "" : prefix,
			     function->name) < 0)
			continue;
		add_function(allocator, module->elf, name, function);
		free(name);
	}
}
