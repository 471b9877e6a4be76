/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "elf/debug_file.h"
#include "elf/elf_file.h"
#include "symbolize/demangle.h"
#include "symbolize/symbol_file.h"
#include "symbolize/symbol_table.h"

struct symbol_file {
	char *path;
	int fd; /* libdwfl's once it has asked for it; -1 then */
	Dwfl *dwfl;
	Dwfl_Module *module;
	uint64_t bias; /* dwfl address - vaddr */
	bool loaded;
	struct symbol_table table;
};

/*
 * libelf's elf_strptr() makes sure of a NUL for each name; where the table does not end in one it searches, and a large table
 * with many symbols would take hours. Linkers always end it so.
 */
static bool string_tables_end(Elf *elf, int fd)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr shdr;
		char last = 1;

		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != SHT_STRTAB || shdr.sh_size == 0 ||
		    shdr.sh_flags & SHF_COMPRESSED)
			continue;
		if (pread(fd, &last, 1, (off_t)(shdr.sh_offset + shdr.sh_size - 1)) != 1 || last)
			return false;
	}
	return true;
}

/* Opened for reading instead of mapping, which libdwfl would do: a file that is truncated must not kill us. */
static int find_elf(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base,
		    char **file_name, Elf **elf)
{
	struct symbol_file *file = *userdata;
	int fd = file->fd;

	(void)module;
	(void)name;
	(void)base;
	*elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!*elf)
		return -1;
	if (elf_kind(*elf) != ELF_K_ELF || !string_tables_end(*elf, fd)) {
		elf_end(*elf);
		*elf = NULL;
		return -1;
	}
	*file_name = strdup(file->path);
	file->fd = -1;
	return fd;
}

/* libdwfl's own callback would go on to ask a debuginfod server. */
static int find_debuginfo(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base,
			  const char *file_name, const char *link, GElf_Word crc, char **ret_name)
{
	const unsigned char *id;
	GElf_Addr vaddr;
	int size = dwfl_module_build_id(module, &id, &vaddr);
	int fd = -1;

	(void)userdata;
	(void)name;
	(void)base;
	if (size > 0)
		fd = debug_file_by_build_id(id, (size_t)size, ret_name);
	if (fd < 0 && file_name && link)
		fd = debug_file_by_link(file_name, link, crc, ret_name);
	return fd < 0 ? -1 : fd;
}

static const Dwfl_Callbacks callbacks = {
	.find_elf = find_elf,
	.find_debuginfo = find_debuginfo,
};

/*
 * End of the highest segment; the module is reported from 0, so that all addresses of it are inside. 0: not an ELF file, or
 * one that an elf_file refuses.
 */
static uint64_t end_of_segments(int fd)
{
	struct elf_file *elf;
	uint64_t end = 0;

	if (elf_file_open(fd, &elf))
		return 0;
	for (size_t i = 0; i < elf_file_n_segments(elf); i++) {
		const struct elf_segment *segment = &elf_file_segments(elf)[i];

		if (segment->vaddr + segment->mem_size > end)
			end = segment->vaddr + segment->mem_size;
	}
	elf_file_close(elf);
	return end;
}

static int report(struct symbol_file *file)
{
	uint64_t end = end_of_segments(file->fd);
	void **userdata;
	Dwarf_Addr bias;

	if (end == 0)
		return -ENOEXEC;
	file->dwfl = dwfl_begin(&callbacks);
	if (!file->dwfl)
		return -ENOMEM;
	file->module = dwfl_report_module(file->dwfl, file->path, 0, end);
	if (!file->module)
		return -ENOMEM;
	dwfl_module_info(file->module, &userdata, NULL, NULL, NULL, NULL, NULL, NULL);
	*userdata = file;
	dwfl_report_end(file->dwfl, NULL, NULL);
	if (!dwfl_module_getelf(file->module, &bias))
		return -ENOEXEC;
	file->bias = bias;
	return 0;
}

int symbol_file_open(int fd, const char *path, struct symbol_file **ret)
{
	struct symbol_file *file;
	int err;

	if (elf_version(EV_CURRENT) == EV_NONE)
		return -ENOEXEC;
	file = calloc(1, sizeof(*file));
	if (!file)
		return -ENOMEM;
	file->path = strdup(path);
	file->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (!file->path)
		err = -ENOMEM;
	else if (file->fd < 0)
		err = -errno;
	else
		err = report(file);
	if (err) {
		symbol_file_close(file);
		return err;
	}
	*ret = file;
	return 0;
}

void symbol_file_close(struct symbol_file *file)
{
	if (!file)
		return;
	symbol_table_free(&file->table);
	if (file->dwfl)
		dwfl_end(file->dwfl);
	if (file->fd >= 0)
		close(file->fd);
	free(file->path);
	free(file);
}

const char *symbol_file_find(struct symbol_file *file, uint64_t vaddr, uint64_t *start)
{
	struct function *function;

	if (!file->loaded) {
		/* Without symbols, or memory for them, the table stays empty. */
		symbol_table_build(file->module, file->bias, &file->table);
		file->loaded = true;
	}
	function = symbol_table_find(&file->table, vaddr);
	if (!function)
		return NULL;
	if (!function->name)
		function->name = demangle(function->raw);
	*start = function->start;
	return function->name ? function->name : function->raw;
}
