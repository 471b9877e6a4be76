/* SPDX-License-Identifier: BSD-2-Clause */
/* Which of the files that a process has mapped have an allocator. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "allocator_functions.h"
#include "allocator_internal.h"
#include "elf/elf_file.h"
#include "process/process.h"

static const char *last_component(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool is_object(const struct mapping *mapping, const char *object)
{
	if (strcmp(mapping->path, object) == 0)
		return true;
	return mapping->path[0] == '/' &&
	       (strcmp(last_component(mapping->path), object) == 0 ||
		(mapping->module && allocator_has_soname(mapping->module, object)));
}

static bool is_denied(const struct mapping *mapping)
{
	return mapping->error == -EPERM || mapping->error == -EACCES;
}

/* -EPERM or -EACCES: it is mapped, but its file may not be opened. *ret: also then the mapping. */
static int find_object(const struct process *process, const char *object,
		       const struct mapping **ret)
{
	int err = -ENOENT;

	for (size_t i = 0; i < process->n_mappings; i++) {
		const struct mapping *mapping = &process->mappings[i];

		if (object && !is_object(mapping, object))
			continue;
		if (object && mapping->module) {
			*ret = mapping;
			return 0;
		}
		if (is_denied(mapping)) {
			err = mapping->error;
			*ret = mapping;
		}
	}
	return err;
}

const struct mapping *allocator_mapping(const struct process *process, const char *object)
{
	const struct mapping *mapping = NULL;

	find_object(process, object, &mapping);
	return mapping;
}

/* A static program that frees nothing has no free. */
static bool has_allocator(const struct module *module, const char *prefix)
{
	return allocator_has_function(module->elf, prefix, "malloc") &&
	       (!prefix[0] || allocator_has_function(module->elf, prefix, "free"));
}

/* Not only operators of C++, or a thrower. */
static bool has_calls(const struct allocator *allocator)
{
	for (size_t i = 0; i < allocator->n_probes; i++)
		if (allocator->roles[i] == ALLOCATOR_CALL)
			return true;
	return false;
}

/* Room for one more, at the end of the list but not counted yet. */
static struct allocator *new_allocator(struct allocators *allocators, const struct module *module,
				       int fd)
{
	struct allocator *larger =
		reallocarray(allocators->list, allocators->n + 1, sizeof(*larger));

	if (!larger)
		return NULL;
	allocators->list = larger;
	larger += allocators->n;
	*larger = (struct allocator){.fd = fd, .module_id = module->id};
	return larger;
}

/* The allocator of a module whose functions have one of `prefixes`; takes `fd` over. */
static int add(struct allocators *allocators, struct module *module, int fd, const char *path,
	       const char *const *prefixes)
{
	struct allocator *new = new_allocator(allocators, module, fd);
	size_t used;

	if (!new) {
		close(fd);
		return -ENOMEM;
	}
	allocator_add_functions(new, module, *prefixes);
	used = strlen(new->missing);
	while (*++prefixes)
		if (has_allocator(module, *prefixes))
			allocator_add_functions(new, module, *prefixes);
	if (!allocators->at_returns)
		allocator_add_gates(new, module);
	new->missing[used] = '\0'; /* other names of the same functions */
	new->maker = allocator_maker(module->elf);
	new->path = has_calls(new) ? strdup(path) : NULL;
	if (!new->path) {
		close(fd);
		return has_calls(new) ? -ENOMEM : -ENOSYS;
	}
	new->is_pure = allocator_is_pure(module);
	new->is_c_library = allocator_is_c_library(module);
	allocators->n++;
	return 0;
}

static bool is_known(const struct allocators *allocators, const struct module *module)
{
	for (size_t i = 0; i < allocators->n; i++)
		if (allocators->list[i].module_id == module->id)
			return true;
	return false;
}

static bool is_other(const struct allocators *allocators, const struct module *module)
{
	for (size_t i = 0; i < allocators->n_others; i++)
		if (allocators->others[i] == module->id)
			return true;
	return false;
}

/* Not to be looked at again; where there is no memory for that it will be. */
static void note_other(struct allocators *allocators, const struct module *module)
{
	uint32_t *larger =
		reallocarray(allocators->others, allocators->n_others + 1, sizeof(*larger));

	if (!larger)
		return;
	allocators->others = larger;
	larger[allocators->n_others++] = module->id;
}

static bool has_role(const struct allocators *allocators, enum allocator_role role)
{
	for (size_t i = 0; i < allocators->n; i++)
		for (size_t probe = 0; probe < allocators->list[i].n_probes; probe++)
			if (allocators->list[i].roles[probe] == role)
				return true;
	return false;
}

/* Where an operator new that is probed leaves by an exception, of the files that are not allocators. What cannot be had is done without. */
static void add_throwers(pid_t pid, const struct process *process, struct allocators *allocators)
{
	if (!has_role(allocators, ALLOCATOR_NEW) || has_role(allocators, ALLOCATOR_THROW))
		return;
	for (size_t i = 0; i < process->n_mappings; i++) {
		const struct mapping *mapping = &process->mappings[i];
		struct module *module = mapping->module;
		struct allocator *new;
		int fd;

		if (!module || mapping->path[0] == '[' || is_known(allocators, module))
			continue;
		fd = process_open_mapping(pid, mapping);
		new = fd < 0 ? NULL : new_allocator(allocators, module, fd);
		if (new &&allocator_add_function(new, module, MEMLEAK_THROW))
			new->path = strdup(mapping->path);
		if (new &&new->path)
			allocators->n++;
		else if (fd >= 0)
			close(fd);
	}
}

int allocator_find(pid_t pid, const struct process *process, const char *object, const char *prefix,
		   struct allocators *ret)
{
	const char *const prefixes[] = {prefix, NULL};
	const struct mapping *mapping = NULL;
	int err = find_object(process, object, &mapping), fd;

	if (err)
		return err;
	fd = process_open_mapping(pid, mapping);
	err = fd < 0 ? fd : add(ret, mapping->module, fd, mapping->path, prefixes);
	if (!err)
		add_throwers(pid, process, ret);
	return err;
}

/* The prefixes from the first on with which the file has malloc and free; NULL: it has no allocator. */
static const char *const *prefixes_in(const struct module *module, const char *const *prefixes)
{
	for (; *prefixes; prefixes++)
		if (has_allocator(module, *prefixes))
			return prefixes;
	return NULL;
}

int allocator_find_all(pid_t pid, const struct process *process, const char *prefix,
		       struct allocators *ret)
{
	const char *const given[] = {prefix, NULL};
	int denied = 0, err = 0;

	for (size_t i = 0; i < process->n_mappings && !err; i++) {
		const struct mapping *mapping = &process->mappings[i];
		struct module *module = mapping->module;
		const char *const *prefixes;
		int fd;

		if (is_denied(mapping))
			denied = mapping->error;
		if (!module || mapping->path[0] == '[' || is_known(ret, module) ||
		    is_other(ret, module) || allocator_is_dynamic_linker(module))
			continue;
		prefixes = prefixes_in(module, prefix[0] ? given : allocator_prefixes);
		if (!prefixes) {
			note_other(ret, module);
			continue;
		}
		fd = process_open_mapping(pid, mapping);
		err = fd < 0 ? fd : add(ret, module, fd, mapping->path, prefixes);
		if (err == -EPERM || err == -EACCES || err == -ENOSYS) { /* others may do */
			denied = err == -ENOSYS ? denied : err;
			err = 0;
		}
	}
	if (!err)
		add_throwers(pid, process, ret);
	if (err || ret->n)
		return err;
	return denied ? denied : -ENOENT;
}

/* As a file or a soname; musl's C library is its dynamic linker, under whichever name it was asked for. */
static bool is_mapped(const struct process *process, const char *needed)
{
	if (strcmp(needed, "libc.so") == 0 || strncmp(needed, "libc.musl-", 10) == 0)
		return true;
	for (size_t i = 0; i < process->n_mappings; i++)
		if (is_object(&process->mappings[i], last_component(needed)))
			return true;
	return false;
}

bool allocator_libraries_are_mapped(const struct process *process)
{
	const char *needed;

	for (size_t i = 0; i < process->n_mappings; i++) {
		const struct module *module = process->mappings[i].module;

		if (!module)
			continue;
		for (size_t n = 0; elf_file_dynamic_string(module->elf, DT_NEEDED, n, &needed) == 0;
		     n++)
			if (!is_mapped(process, needed))
				return false;
	}
	return true;
}

struct wanted {
	const char *object;
	char path[PATH_MAX];
};

static int take_own(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct wanted *wanted = arg;
	const char *base = strrchr(info->dlpi_name, '/');

	(void)size;
	if (!base || strcmp(base + 1, wanted->object) || strlen(info->dlpi_name) >= PATH_MAX)
		return 0;
	strcpy(wanted->path, info->dlpi_name);
	return 1;
}

int allocator_find_unread(struct module_cache *modules, const char *object, const char *prefix,
			  struct allocators *ret)
{
	const char *const prefixes[] = {prefix, NULL};
	struct wanted wanted = {.object = object};
	const char *path = object[0] == '/' ? object : wanted.path;
	struct module *module;
	int fd, err;

	if (object[0] != '/' && !dl_iterate_phdr(take_own, &wanted))
		return -ENOENT;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	err = module_cache_get(modules, fd, path, &module);
	if (err) {
		close(fd);
		return err;
	}
	err = add(ret, module, fd, path, prefixes);
	module_put(modules, module);
	return err;
}

bool allocator_maps_for_itself(const struct allocators *allocators, const struct process *process,
			       uint64_t addr, bool reserves)
{
	const struct mapping *mapping = process_find_mapping(process, addr);

	for (size_t i = 0; mapping && mapping->module && i < allocators->n; i++) {
		const struct allocator *allocator = &allocators->list[i];

		if (allocator->module_id == mapping->module->id)
			return allocator->is_pure || (reserves && allocator->is_c_library);
	}
	return false;
}

void allocators_close(struct allocators *allocators)
{
	for (size_t i = 0; i < allocators->n; i++) {
		close(allocators->list[i].fd);
		free(allocators->list[i].path);
	}
	free(allocators->list);
	free(allocators->others);
	*allocators = (struct allocators){};
}

void allocators_describe(const struct allocators *allocators, size_t first, char *ret, size_t size)
{
	size_t used = 0;

	ret[0] = '\0';
	for (size_t i = first; i < allocators->n && used < size; i++)
		if (allocators->list[i].maker)
			used += (size_t)snprintf(ret + used, size - used, "%s%s in %s",
						 used ? ", " : "", allocators->list[i].maker,
						 allocators->list[i].path);
}
