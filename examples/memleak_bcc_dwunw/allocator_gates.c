/* SPDX-License-Identifier: BSD-2-Clause */
/* Of one file: probes before the returns of its operators new, in the place of those on them. */
#include "allocator.h"

#include <string.h>

#include "allocator_internal.h"
#include "elf/elf_file.h"
#include "gates.h"
#include "process/process.h"

struct numbers {
	uint64_t list[ALLOCATOR_MAX_PROBES];
	size_t n;
};

static void add_number(struct numbers *numbers, uint64_t number)
{
	numbers->list[numbers->n++] = number;
}

static void remove_probe(struct allocator *allocator, size_t i)
{
	size_t behind = --allocator->n_probes - i;

	memmove(&allocator->probes[i], &allocator->probes[i + 1],
		behind * sizeof(allocator->probes[0]));
	memmove(&allocator->roles[i], &allocator->roles[i + 1],
		behind * sizeof(allocator->roles[0]));
	memmove(&allocator->functions[i], &allocator->functions[i + 1],
		behind * sizeof(allocator->functions[0]));
	memmove(&allocator->names[i], &allocator->names[i + 1],
		behind * sizeof(allocator->names[0]));
	memmove(&allocator->places[i], &allocator->places[i + 1],
		behind * sizeof(allocator->places[0]));
}

/* The number of the probe on the return instruction; n_probes: it has none. */
static size_t find_return(const struct allocator *allocator, uint64_t vaddr)
{
	size_t i = 0;

	while (i < allocator->n_probes &&
	       (allocator->roles[i] != ALLOCATOR_NEW_RETURN ||
		allocator->functions[i] + allocator->places[i].offset != vaddr))
		i++;
	return i;
}

static void add_gate(struct allocator *allocator, const struct gate *gate, uint64_t offset,
		     uint64_t function, const char *name)
{
	size_t n = allocator->n_probes++;

	allocator->probes[n] = (struct probe){
		.offset = offset,
		.cookie = MEMLEAK_NEW |
			  (unsigned long long)gate->holder << MEMLEAK_COOKIE_HOLDER_SHIFT |
			  (unsigned long long)gate->below << MEMLEAK_COOKIE_BELOW_SHIFT |
			  (unsigned long long)gate->condition << MEMLEAK_COOKIE_CONDITION_SHIFT,
	};
	allocator->roles[n] = ALLOCATOR_NEW_GATE;
	allocator->functions[n] = function;
	allocator->names[n] = name;
	allocator->places[n] =
		(struct placement){.offset = gate->vaddr - function, .emulated = true};
}

/* All or nothing: a return goes only if each gate before it is there. */
static void replace(struct allocator *allocator, struct module *module, const struct gates *gates)
{
	uint64_t offsets[GATES_MAX], function = 0;
	const char *name = NULL;

	if (!gates->n || gates->n + allocator->n_probes > ALLOCATOR_MAX_PROBES)
		return;
	for (size_t i = 0; i < gates->n; i++)
		if (elf_file_vaddr_to_off(module->elf, gates->gates[i].vaddr, &offsets[i]))
			return;
	for (size_t i = 0; i < gates->n_returns; i++) {
		size_t probe = find_return(allocator, gates->returns[i]);

		if (probe == allocator->n_probes)
			continue;
		function = allocator->functions[probe];
		name = allocator->names[probe];
		remove_probe(allocator, probe);
	}
	for (size_t i = 0; i < gates->n && name; i++)
		add_gate(allocator, &gates->gates[i], offsets[i], function, name);
}

void allocator_add_gates(struct allocator *allocator, struct module *module)
{
	struct numbers operators = {}, probed = {}, taken = {};
	struct gates gates;

	for (size_t i = 0; i < allocator->n_probes; i++) {
		enum allocator_role role = allocator->roles[i];

		if (role == ALLOCATOR_NEW)
			add_number(&operators, allocator->functions[i]);
		if (role == ALLOCATOR_CALL)
			add_number(&probed, allocator->functions[i]);
		add_number(&taken, allocator->functions[i] + allocator->places[i].offset);
	}
	if (operators.n && gates_find(module, operators.list, operators.n, probed.list, probed.n,
				      taken.list, taken.n, &gates) == 0)
		replace(allocator, module, &gates);
}
