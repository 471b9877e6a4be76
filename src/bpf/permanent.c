/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/permanent.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bpf/linker.h"
#include "elf/elf_file.h"
#include "process/process.h"

#define MAX_NEEDED 512 /* files; a program that needs more keeps the rest as ones that can go */

struct needed {
	const struct module *modules[MAX_NEEDED]; /* found so far */
	size_t n;
	bool all_found;
};

static const char *name_of(const struct module *module)
{
	const char *name, *slash;

	if (elf_file_dynamic_string(module->elf, DT_SONAME, 0, &name) == 0)
		return name;
	slash = strrchr(module->path, '/');
	return slash ? slash + 1 : module->path;
}

static void add(struct needed *needed, const struct module *module)
{
	for (size_t i = 0; i < needed->n; i++) {
		if (needed->modules[i] == module)
			return;
	}
	if (needed->n < MAX_NEEDED)
		needed->modules[needed->n++] = module;
	else
		needed->all_found = false;
}

/*
 * The one file that is mapped, once, under the name, or at that load bias where `name` is NULL. Namespaces of the dynamic linker (dlmopen) can
 * have more, of which one may go.
 */
static const struct module *find_one(const struct process *process, const char *name,
				     uint64_t load_bias)
{
	const struct mapping *found = NULL;

	for (size_t i = 0; i < process->n_mappings; i++) {
		const struct mapping *mapping = &process->mappings[i];

		if (!mapping->module)
			continue;
		if (found && mapping->module == found->module &&
		    mapping->load_bias == found->load_bias)
			continue;
		if (name ? strcmp(name_of(mapping->module), name) != 0
			 : mapping->load_bias != load_bias)
			continue;
		if (found)
			return NULL;
		found = mapping;
	}
	return found ? found->module : NULL;
}

static void add_needed_by(struct needed *needed, const struct process *process,
			  const struct module *module)
{
	const struct module *found;
	const char *name;

	for (size_t i = 0; elf_file_dynamic_string(module->elf, DT_NEEDED, i, &name) == 0; i++) {
		found = find_one(process, name, 0);
		if (found)
			add(needed, found);
		else
			needed->all_found = false;
	}
}

/* What the files from number `i` on need, and what that needs. */
static void add_closure(struct needed *needed, const struct process *process, size_t i)
{
	for (; i < needed->n; i++)
		add_needed_by(needed, process, needed->modules[i]);
}

static bool is_in(const struct needed *needed, const struct module *module)
{
	for (size_t i = 0; i < needed->n; i++) {
		if (needed->modules[i] == module)
			return true;
	}
	return false;
}

static bool read_words(const struct process *process, uint64_t addr, void *ret, size_t size)
{
	struct iovec local = {ret, size}, remote = {(void *)(uintptr_t)addr, size};

	return process_vm_readv(process->pid, &local, 1, &remote, 1, 0) == (ssize_t)size;
}

/*
 * What was preloaded. The dynamic linker appends each object to its list when that is loaded; nothing can be opened before all that the
 * program needs is there: whatever stands before one of those was loaded at the start, and stays.
 */
static void add_preloaded(struct needed *needed, const struct process *process)
{
	struct needed before = {.all_found = true};
	uint64_t vaddr, address;
	struct r_debug debug;
	struct link_map object;

	if (!linker_find(process, &vaddr, &address) || !address ||
	    !read_words(process, address, &debug, sizeof(debug)))
		return;
	object.l_next = debug.r_map;
	for (int i = 0; i < MAX_NEEDED && object.l_next; i++) {
		const struct module *module;

		if (!read_words(process, (uintptr_t)object.l_next, &object, sizeof(object)))
			return;
		module = find_one(process, NULL, object.l_addr);
		if (module && !is_in(needed, module))
			add(&before, module);
		for (size_t k = 0; module && is_in(needed, module) && k < before.n; k++)
			add(needed, before.modules[k]);
	}
}

static int get_program(struct module_cache *cache, pid_t pid, struct module **ret)
{
	char path[64];
	int fd, err;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = module_cache_get(cache, fd, path, ret);
	close(fd);
	return err;
}

bool permanent_mark(struct module_cache *cache, struct process *process)
{
	struct needed needed = {.all_found = true};
	struct module *program;
	size_t n_needed;

	if (get_program(cache, process->pid, &program))
		return false;
	add(&needed, program);
	add_closure(&needed, process, 0);
	n_needed = needed.n;
	add_preloaded(&needed, process);
	add_closure(&needed, process, n_needed);
	for (size_t i = 0; i < process->n_mappings; i++) {
		struct mapping *mapping = &process->mappings[i];

		for (size_t k = 0; mapping->module && k < needed.n; k++)
			mapping->permanent |= mapping->module == needed.modules[k];
	}
	module_put(cache, program);
	return needed.all_found;
}

void permanent_clear(struct process *process)
{
	for (size_t i = 0; i < process->n_mappings; i++)
		process->mappings[i].permanent = false;
}
