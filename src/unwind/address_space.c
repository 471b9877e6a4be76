/* SPDX-License-Identifier: BSD-2-Clause */
#include "unwind/address_space.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elf/elf_file.h"
#include "process/attach.h"
#include "process/maps.h"
#include "unwind/context.h"
#include "unwind/unwind.h"

static int check_one(const struct dwunw_file_mapping *mapping)
{
	if (mapping->start >= mapping->end || (mapping->flags & ~DWUNW_MAPPING_EXECUTABLE) ||
	    !mapping->build_id != !mapping->build_id_size ||
	    mapping->build_id_size > ELF_BUILD_ID_MAX)
		return -EINVAL;
	return 0;
}

static int compare_given(const void *a, const void *b)
{
	const struct dwunw_file_mapping *x = *(const struct dwunw_file_mapping *const *)a;
	const struct dwunw_file_mapping *y = *(const struct dwunw_file_mapping *const *)b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static int compare_mappings(const void *a, const void *b)
{
	const struct mapping *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* Pointers to them in order of their addresses; to be freed. */
static int sort_given(const struct dwunw_file_mapping *mappings, size_t n,
		      const struct dwunw_file_mapping ***ret)
{
	const struct dwunw_file_mapping **sorted = calloc(n, sizeof(*sorted));

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		sorted[i] = &mappings[i];
	qsort(sorted, n, sizeof(*sorted), compare_given);
	*ret = sorted;
	return 0;
}

/* `from` in order of addresses -> mappings without modules. What was made so far is in *process, also on failure. */
static int copy_given(const struct dwunw_file_mapping *const *from, size_t n,
		      struct process *process)
{
	process->mappings = calloc(n, sizeof(*process->mappings));
	if (!process->mappings)
		return -ENOMEM;
	for (; process->n_mappings < n; process->n_mappings++) {
		const struct dwunw_file_mapping *given = from[process->n_mappings];
		struct mapping *mapping = &process->mappings[process->n_mappings];

		*mapping = (struct mapping){
			.start = given->start,
			.end = given->end,
			.file_off = given->file_off,
			.executable = given->flags & DWUNW_MAPPING_EXECUTABLE,
			.path = strdup(given->path ? given->path : ""),
		};
		if (!mapping->path)
			return -ENOMEM;
	}
	return 0;
}

/* Of mappings in order of addresses. */
static int check_all(const struct process *process)
{
	if (!process->n_mappings)
		return -EINVAL;
	for (size_t i = 1; i < process->n_mappings; i++)
		if (process->mappings[i].start < process->mappings[i - 1].end)
			return -EINVAL;
	return 0;
}

/* Frames call files as the mappings do. */
static int set_modules(struct dwunw_address_space *space)
{
	const struct process *process = &space->process;
	struct frame_module *modules = calloc(process->n_mappings, sizeof(*modules));

	if (!modules)
		return -ENOMEM;
	for (size_t i = 0; i < process->n_mappings; i++) {
		const struct mapping *mapping = &process->mappings[i];

		if (mapping->executable && (mapping_has_path(mapping) || mapping->module))
			modules[i] = frame_module_of(mapping, mapping->path);
	}
	space->known = (struct known_process){
		.process = &space->process,
		.epoch = process_cache_new_epoch(space->context->processes),
		.modules = modules,
	};
	process_cache_trim(space->context->processes, &space->known);
	return 0;
}

static int attach_given(struct dwunw_address_space *space,
			const struct dwunw_file_mapping *const *given)
{
	struct process *process = &space->process;

	for (size_t i = 0; i < process->n_mappings; i++)
		mapping_attach_given(space->context->modules, &process->mappings[i],
				     given[i]->build_id, given[i]->build_id_size);
	return set_modules(space);
}

static int attach_parsed(struct dwunw_address_space *space)
{
	struct process *process = &space->process;

	for (size_t i = 0; i < process->n_mappings; i++) {
		struct mapping *mapping = &process->mappings[i];

		/* "/dev/zero", "/SYSV00000000" and the like are no files: proc(5) */
		if (mapping->inode || !mapping_has_path(mapping))
			mapping_attach_given(space->context->modules, mapping, NULL, 0);
	}
	return set_modules(space);
}

int dwunw_address_space_create(struct dwunw_context *context,
			       const struct dwunw_file_mapping *mappings, size_t n,
			       struct dwunw_address_space **ret)
{
	const struct dwunw_file_mapping **sorted;
	struct dwunw_address_space *space;
	int err;

	if (!context || !mappings || !n || !ret)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if (check_one(&mappings[i]))
			return -EINVAL;
	space = calloc(1, sizeof(*space));
	if (!space)
		return -ENOMEM;
	space->context = context;
	err = sort_given(mappings, n, &sorted);
	if (!err) {
		err = copy_given(sorted, n, &space->process);
		if (!err)
			err = check_all(&space->process);
		if (!err)
			err = attach_given(space, sorted);
		free(sorted);
	}
	if (err) {
		dwunw_address_space_destroy(space);
		return err;
	}
	*ret = space;
	return 0;
}

static int parse(const char *maps, struct process *process)
{
	char *copy = strdup(maps);
	int err;

	if (!copy)
		return -ENOMEM;
	err = maps_parse(copy, &process->mappings, &process->n_mappings);
	free(copy);
	if (err)
		return err;
	if (process->n_mappings)
		qsort(process->mappings, process->n_mappings, sizeof(*process->mappings),
		      compare_mappings);
	return check_all(process);
}

int dwunw_address_space_parse(struct dwunw_context *context, const char *maps,
			      struct dwunw_address_space **ret)
{
	struct dwunw_address_space *space;
	int err;

	if (!context || !maps || !ret)
		return -EINVAL;
	space = calloc(1, sizeof(*space));
	if (!space)
		return -ENOMEM;
	space->context = context;
	err = parse(maps, &space->process);
	if (!err)
		err = attach_parsed(space);
	if (err) {
		dwunw_address_space_destroy(space);
		return err;
	}
	*ret = space;
	return 0;
}

void dwunw_address_space_destroy(struct dwunw_address_space *space)
{
	if (!space)
		return;
	process_clear(space->context->modules, &space->process);
	free(space->known.modules);
	free(space);
}
