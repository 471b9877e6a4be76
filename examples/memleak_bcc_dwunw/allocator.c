/* SPDX-License-Identifier: BSD-2-Clause */
#include "allocator.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elf/elf_file.h"
#include "placement.h"
#include "process/process.h"

static bool is_object(const struct mapping *mapping, const char *object)
{
	const char *base = strrchr(mapping->path, '/');

	return strcmp(mapping->path, object) == 0 || (base && strcmp(base + 1, object) == 0);
}

/* -EPERM or -EACCES: it is mapped, but its file may not be opened. *ret: also then the mapping. */
static int find_object(const struct process *process, const char *object,
		       const struct mapping **ret)
{
	int err = -ENOENT;

	for (size_t i = 0; i < process->n_mappings; i++) {
		const struct mapping *mapping = &process->mappings[i];

		if (!is_object(mapping, object))
			continue;
		if (mapping->module) {
			*ret = mapping;
			return 0;
		}
		if (mapping->error == -EPERM || mapping->error == -EACCES) {
			err = mapping->error;
			*ret = mapping;
		}
	}
	return err;
}

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

static void add_function(struct allocator *allocator, struct elf_file *elf, const char *name,
			 enum memleak_function function, unsigned int n_args)
{
	size_t used = strlen(allocator->missing), n = allocator->n_probes;
	struct placement placement;
	uint64_t vaddr, size, offset;

	if (elf_file_find_function(elf, name, &vaddr, &size) ||
	    place(elf, vaddr, size, n_args, function != MEMLEAK_FREE, &offset, &placement)) {
		snprintf(allocator->missing + used, sizeof(allocator->missing) - used, "%s%s",
			 used ? ", " : "", name);
		return;
	}
	if (is_probed(allocator, offset))
		return;
	allocator->probes[n] = (struct probe){.offset = offset, .cookie = function};
	allocator->moved[n] = placement.offset != 0;
	allocator->single_stepped[n] = !placement.emulated;
	allocator->n_probes++;
}

/* The functions of `elf`; takes `fd` over. */
static int fill(struct elf_file *elf, int fd, const char *path, struct allocator *ret)
{
	struct allocator allocator = {.fd = fd};

#define ADD_FUNCTION(name, kind, arguments) add_function(&allocator, elf, name, kind, arguments);
	MEMLEAK_FUNCTIONS(ADD_FUNCTION)
#undef ADD_FUNCTION
	allocator.path = allocator.n_probes ? strdup(path) : NULL;
	if (!allocator.path) {
		close(fd);
		return allocator.n_probes ? -ENOMEM : -ENOSYS;
	}
	*ret = allocator;
	return 0;
}

int allocator_find(pid_t pid, const struct process *process, const char *object,
		   struct allocator *ret)
{
	const struct mapping *mapping = NULL;
	int err = find_object(process, object, &mapping), fd;

	if (err)
		return err;
	fd = process_open_mapping(pid, mapping);
	return fd < 0 ? fd : fill(mapping->module->elf, fd, mapping->path, ret);
}

const struct mapping *allocator_mapping(const struct process *process, const char *object)
{
	const struct mapping *mapping = NULL;

	find_object(process, object, &mapping);
	return mapping;
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

int allocator_find_unread(struct module_cache *modules, const char *object, struct allocator *ret)
{
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
	err = fill(module->elf, fd, path, ret);
	module_put(modules, module);
	return err;
}

const char *allocator_propose(const struct process *process)
{
	uint64_t vaddr, size;

	for (size_t i = 0; i < process->n_mappings; i++) {
		const struct module *module = process->mappings[i].module;

		if (module && elf_file_find_function(module->elf, "malloc", &vaddr, &size) == 0)
			return process->mappings[i].path;
	}
	return NULL;
}

void allocator_close(struct allocator *allocator)
{
	if (allocator->fd >= 0)
		close(allocator->fd);
	free(allocator->path);
	*allocator = (struct allocator){.fd = -1};
}
