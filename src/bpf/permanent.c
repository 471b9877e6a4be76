/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/permanent.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

/* The one file that is mapped, once, under the name. Namespaces of the dynamic linker (dlmopen) can have more, of which one may go. */
static const struct module *find_one(const struct process *process, const char *name)
{
	const struct mapping *found = NULL;

	for (size_t i = 0; i < process->n_mappings; i++) {
		const struct mapping *mapping = &process->mappings[i];

		if (!mapping->module)
			continue;
		if (found && mapping->module == found->module &&
		    mapping->load_bias == found->load_bias)
			continue;
		if (strcmp(name_of(mapping->module), name) != 0)
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
		found = find_one(process, name);
		if (found)
			add(needed, found);
		else
			needed->all_found = false;
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

	if (get_program(cache, process->pid, &program))
		return false;
	add(&needed, program);
	for (size_t i = 0; i < needed.n; i++)
		add_needed_by(&needed, process, needed.modules[i]);
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
