/* SPDX-License-Identifier: BSD-2-Clause */
/* What a file that has an allocator is, by its symbols and its soname. */
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allocator_internal.h"
#include "elf/elf_file.h"
#include "process/process.h"

bool allocator_has_function(struct elf_file *elf, const char *prefix, const char *name)
{
	uint64_t vaddr, size;
	char *whole;
	bool found;

	if (asprintf(&whole, "%s%s", prefix, name) < 0)
		return false;
	found = elf_file_find_function(elf, whole, &vaddr, &size) == 0;
	free(whole);
	return found;
}

bool allocator_has_soname(const struct module *module, const char *name)
{
	const char *soname;

	return elf_file_dynamic_string(module->elf, DT_SONAME, 0, &soname) == 0 &&
	       strcmp(soname, name) == 0;
}

/* By a function that no other one has. */
const char *allocator_maker(struct elf_file *elf)
{
	static const struct {
		const char *function, *maker;
	} makers[] = {
		{"mallctl", "jemalloc"},
		{"je_mallctl", "jemalloc"},
		{"tc_malloc", "tcmalloc"},
		{"MallocExtension_Internal_GetNumericProperty", "tcmalloc"},
		{"mi_malloc", "mimalloc"},
		{"gnu_get_libc_version", "glibc"},
		{"mallopt", "glibc"}, /* static programs have what they use of it */
		{"__libc_mallopt", "glibc"},
		{"__libc_start_main", "musl"},
	};

	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++)
		if (allocator_has_function(elf, "", makers[i].function))
			return makers[i].maker;
	return "an allocator";
}

static bool is_library(const struct module *module)
{
	const char *soname;

	return elf_file_dynamic_string(module->elf, DT_SONAME, 0, &soname) == 0;
}

bool allocator_is_c_library(const struct module *module)
{
	return is_library(module) && allocator_has_function(module->elf, "", "__libc_start_main");
}

/* A library that is an allocator and nothing else: by its soname, since any other file may have code of its own besides. */
bool allocator_is_pure(const struct module *module)
{
	static const char *const names[] = {"libjemalloc", "libtcmalloc", "libmimalloc"};
	const char *soname;

	if (elf_file_dynamic_string(module->elf, DT_SONAME, 0, &soname))
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncmp(soname, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/* glibc's dynamic linker had a malloc of its own until 2.31, for itself, before the C library's is there. */
bool allocator_is_dynamic_linker(const struct module *module)
{
	const char *soname;

	return elf_file_dynamic_string(module->elf, DT_SONAME, 0, &soname) == 0 &&
	       strncmp(soname, "ld-linux", 8) == 0;
}
