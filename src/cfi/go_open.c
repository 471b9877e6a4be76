/* SPDX-License-Identifier: BSD-2-Clause */
#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include "arch/arch.h"
#include "cfi/go.h"
#include "elf/elf_file.h"
#include "elf/elf_functions.h"

#define PREFIX "runtime."
#define SUFFIX ".abi0" /* since Go 1.17, of what is written in assembler */

static const struct {
	const char *name;
	enum go_way way;
} known[] = {
	{"asmcgocall", GO_BY_FP},
	{"asmcgocall_no_g", GO_BY_FP},
	{"systemstack", GO_BY_FP},
	{"callCgoMmap", GO_BY_FP},
	{"callCgoMunmap", GO_BY_FP},
	{"goexit", GO_ROOT},
	{"mcall", GO_ROOT},
	{"rt0_go", GO_ROOT},
	{"systemstack_switch", GO_RESUMED},
};

/* Whether `name` is PREFIX, `wanted` and perhaps SUFFIX. */
static bool is_named(const char *name, const char *wanted)
{
	size_t length = strlen(wanted);

	return strncmp(name, PREFIX, sizeof(PREFIX) - 1) == 0 &&
	       strncmp(name + sizeof(PREFIX) - 1, wanted, length) == 0 &&
	       (!name[sizeof(PREFIX) - 1 + length] ||
		strcmp(name + sizeof(PREFIX) - 1 + length, SUFFIX) == 0);
}

static int add_function(const struct elf_function *function, void *arg)
{
	struct go_functions *functions = arg;

	if (strcmp(function->name, PREFIX "text") == 0)
		functions->text_start = function->vaddr;
	if (strcmp(function->name, PREFIX "etext") == 0)
		functions->text_end = function->vaddr;
	if (!function->size || !function->vaddr ||
	    function->vaddr + function->size < function->vaddr)
		return 0;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!is_named(function->name, known[i].name))
			continue;
		functions->list[functions->n++] = (struct go_function){
			.start = function->vaddr - (known[i].way == GO_RESUMED),
			.end = function->vaddr + (known[i].way == GO_RESUMED ? 0 : function->size),
			.way = known[i].way,
		};
		return functions->n == CFI_GO_MAX;
	}
	return 0;
}

int go_find_functions(struct elf_file *file, struct go_functions *ret)
{
	struct elf_section note;
	int err;

	ret->n = 0;
	if (!elf_file_arch(file) || elf_file_arch(file)->machine != EM_X86_64 ||
	    elf_file_section(file, ".note.go.buildid", &note))
		return 0;
	err = elf_file_each_function(file, SHT_SYMTAB, add_function, ret);
	if (err >= 0 || err == -ENOENT)
		return 0;
	ret->n = 0;
	return err;
}
