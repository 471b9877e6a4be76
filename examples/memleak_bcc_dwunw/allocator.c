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
#include "returns.h"

/* Where the probe of a function goes, as an offset in the file. */
static int place(struct elf_file *elf, uint64_t vaddr, uint64_t size, unsigned int n_args,
		 unsigned int flags, uint64_t *ret, struct placement *placement)
{
	const uint8_t *code;
	size_t n;
	int err = elf_file_bytes_at(elf, vaddr, &code, &n);

	if (err)
		return err;
	if (n > size)
		n = size;
	placement_find(code, n, vaddr, n_args, flags, placement);
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

static void append_name(char *list, size_t size, const char *name)
{
	size_t used = strlen(list);

	snprintf(list + used, size - used, "%s%s", used ? ", " : "", name);
}

static enum allocator_role role_of(enum memleak_function kind)
{
	switch (kind) {
	case MEMLEAK_FREE:
		return ALLOCATOR_FREE;
	case MEMLEAK_NEW:
		return ALLOCATOR_NEW;
	case MEMLEAK_THROW:
		return ALLOCATOR_THROW;
	case MEMLEAK_MMAP:
	case MEMLEAK_MREMAP:
	case MEMLEAK_MUNMAP:
		return ALLOCATOR_MAPPING;
	default:
		return ALLOCATOR_CALL;
	}
}

/* For struct probe: the function, and where its arguments are. */
static unsigned long long cookie_of(const struct allocator_function *function,
				    const struct placement *place)
{
	unsigned long long cookie = function->kind;

	for (unsigned int i = 0; place->moved && i < function->n_args; i++)
		cookie |= (place->registers[i] + 1ULL) << (MEMLEAK_COOKIE_ARGS_SHIFT + 8 * i);
	return cookie;
}

static void add_probe(struct allocator *allocator, uint64_t offset,
		      const struct allocator_function *function, enum allocator_role role,
		      uint64_t vaddr, struct placement placement)
{
	size_t n = allocator->n_probes;

	if (n == ALLOCATOR_MAX_PROBES || is_probed(allocator, offset))
		return;
	allocator->probes[n] =
		(struct probe){.offset = offset, .cookie = cookie_of(function, &placement)};
	allocator->roles[n] = role;
	allocator->functions[n] = vaddr;
	allocator->names[n] = function->name;
	allocator->places[n] = placement;
	allocator->n_probes++;
}

/*
 * Where an operator new returns. False: it is not to be probed: all it allocates comes from functions that are, or it cannot be
 * (which is to be told).
 */
static bool add_returns(struct allocator *allocator, struct module *module,
			const struct allocator_function *function, const char *name, uint64_t vaddr)
{
	uint64_t probed[ALLOCATOR_MAX_PROBES];
	struct returns returns;
	size_t n = 0;

	for (size_t i = 0; i < allocator->n_probes; i++)
		if (allocator->roles[i] == ALLOCATOR_CALL)
			probed[n++] = allocator->functions[i];
	if (returns_find(module, vaddr, probed, n, &returns) ||
	    returns.n + allocator->n_probes >= ALLOCATOR_MAX_PROBES) {
		append_name(allocator->untraceable, sizeof(allocator->untraceable), name);
		return false;
	}
	for (size_t i = 0; i < returns.n && !returns.sealed; i++) {
		uint64_t offset;

		/* no kernel emulates a return instruction */
		if (elf_file_vaddr_to_off(module->elf, returns.vaddrs[i], &offset) == 0)
			add_probe(allocator, offset, function, ALLOCATOR_NEW_RETURN, vaddr,
				  (struct placement){.offset = returns.vaddrs[i] - vaddr});
	}
	return !returns.sealed;
}

/* The program of the mmap family reads arguments where they are at the entry. */
static unsigned int placement_flags(enum allocator_role role)
{
	switch (role) {
	case ALLOCATOR_CALL:
	case ALLOCATOR_NEW:
		return PLACEMENT_KEEP_SP | PLACEMENT_MOVED_ARGS;
	case ALLOCATOR_FREE:
		return PLACEMENT_MOVED_ARGS;
	case ALLOCATOR_MAPPING:
		return PLACEMENT_KEEP_SP;
	default:
		return 0;
	}
}

static void add_function(struct allocator *allocator, struct module *module, const char *name,
			 const struct allocator_function *function)
{
	enum allocator_role role = role_of(function->kind);
	unsigned int flags = placement_flags(role);
	struct placement placement;
	uint64_t vaddr, size, offset;

	if (elf_file_find_function(module->elf, name, &vaddr, &size) ||
	    place(module->elf, vaddr, size, function->n_args, flags, &offset, &placement)) {
		if (!(function->flags & ALLOCATOR_OPTIONAL))
			append_name(allocator->missing, sizeof(allocator->missing), name);
		return;
	}
	if (is_probed(allocator, offset) ||
	    (role == ALLOCATOR_NEW && !add_returns(allocator, module, function, name, vaddr)))
		return;
	if (role == ALLOCATOR_FREE && placement.moved)
		role = ALLOCATOR_FREE_MOVED;
	add_probe(allocator, offset, function, role, vaddr, placement);
}

void allocator_add_functions(struct allocator *allocator, struct module *module, const char *prefix)
{
	const char *maker = allocator_maker(module->elf);
	bool is_libc = strcmp(maker, "glibc") == 0 || strcmp(maker, "musl") == 0;

	for (size_t i = 0; i < allocator_n_functions; i++) {
		const struct allocator_function *function = &allocator_functions[i];
		char *name;

		if (is_libc && function->flags & ALLOCATOR_NOT_LIBC)
			continue;
		if (asprintf(&name, "%s%s", function->flags & ALLOCATOR_PLAIN ? "" : prefix,
			     function->name) < 0)
			continue;
		add_function(allocator, module, name, function);
		free(name);
	}
}

bool allocator_add_function(struct allocator *allocator, struct module *module,
			    enum memleak_function kind)
{
	for (size_t i = 0; i < allocator_n_functions; i++)
		if (allocator_functions[i].kind == kind)
			add_function(allocator, module, allocator_functions[i].name,
				     &allocator_functions[i]);
	return allocator->n_probes > 0;
}
