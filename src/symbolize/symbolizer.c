/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "elf/elf_file.h"
#include "process/process.h"
#include "symbolize/jit_map.h"
#include "symbolize/naming.h"
#include "symbolize/symbol_file.h"
#include "symbolize/symbolize.h"

/* A path and, where it could be opened, the file behind it. Kept to the end: names stay valid. */
struct named_file {
	char *path;
	uint32_t module_id; /* 0: no module */
	struct symbol_file *symbols;
};

struct code_range { /* an executable mapping */
	uint64_t start, end, load_bias;
	const struct named_file *file; /* NULL: anonymous memory */
};

struct symbolizer {
	struct named_file **files;
	size_t n_files;
	struct code_range *ranges; /* by address */
	size_t n_ranges;
	struct naming *naming;
	struct jit_map *jit;
};

static struct symbol_file *open_symbols(struct naming *naming, pid_t pid,
					const struct mapping *mapping)
{
	struct symbol_file *symbols = NULL;
	int fd = process_open_mapping(pid, mapping);

	/* A module may have been found through a copy of this file that is stripped, hence the mapping's own file first. */
	if (fd >= 0) {
		symbol_file_open(fd, mapping->path, naming, &symbols);
		close(fd);
	}
	if (!symbols)
		symbol_file_open(elf_file_fd(mapping->module->elf), mapping->path, naming,
				 &symbols);
	return symbols;
}

static struct named_file *find_file(const struct symbolizer *symbolizer, uint32_t module_id,
				    const char *path)
{
	for (size_t i = 0; i < symbolizer->n_files; i++) {
		struct named_file *file = symbolizer->files[i];

		if (file->module_id == module_id && strcmp(file->path, path) == 0)
			return file;
	}
	return NULL;
}

/* NULL: no memory. */
static struct named_file *add_file(struct symbolizer *symbolizer, uint32_t module_id,
				   const char *path)
{
	struct named_file *file, **bigger;

	bigger = realloc(symbolizer->files, (symbolizer->n_files + 1) * sizeof(*bigger));
	if (!bigger)
		return NULL;
	symbolizer->files = bigger;
	file = calloc(1, sizeof(*file));
	if (!file)
		return NULL;
	file->path = strdup(path);
	if (!file->path) {
		free(file);
		return NULL;
	}
	file->module_id = module_id;
	bigger[symbolizer->n_files++] = file;
	return file;
}

/* NULL: no memory. */
static const struct named_file *get_file(struct symbolizer *symbolizer, pid_t pid,
					 const struct mapping *mapping)
{
	uint32_t module_id = mapping->module ? mapping->module->id : 0;
	struct named_file *file = find_file(symbolizer, module_id, mapping->path);

	if (file)
		return file;
	file = add_file(symbolizer, module_id, mapping->path);
	if (file && mapping->module)
		file->symbols = open_symbols(symbolizer->naming, pid, mapping);
	return file;
}

int symbolizer_create(const struct process *process, struct naming *naming, struct symbolizer **ret)
{
	struct symbolizer *symbolizer = calloc(1, sizeof(*symbolizer));
	int err;

	if (!symbolizer)
		return -ENOMEM;
	symbolizer->naming = naming;
	symbolizer->jit = jit_map_create(process->pid, naming);
	err = symbolizer->jit ? symbolizer_refresh(symbolizer, process) : -ENOMEM;
	if (err) {
		symbolizer_destroy(symbolizer);
		return err;
	}
	*ret = symbolizer;
	return 0;
}

int symbolizer_refresh(struct symbolizer *symbolizer, const struct process *process)
{
	struct code_range *ranges = calloc(process->n_mappings + 1, sizeof(*ranges));
	size_t n = 0;

	if (!ranges)
		return -ENOMEM;
	for (size_t i = 0; i < process->n_mappings; i++) {
		const struct mapping *mapping = &process->mappings[i];
		const struct named_file *file = NULL;

		if (!mapping->executable)
			continue;
		if (mapping->path[0] != '\0') {
			file = get_file(symbolizer, process->pid, mapping);
			if (!file) {
				free(ranges);
				return -ENOMEM;
			}
		}
		ranges[n++] = (struct code_range){
			.start = mapping->start,
			.end = mapping->end,
			.load_bias = mapping->load_bias,
			.file = file,
		};
	}
	free(symbolizer->ranges);
	symbolizer->ranges = ranges;
	symbolizer->n_ranges = n;
	return 0;
}

void symbolizer_destroy(struct symbolizer *symbolizer)
{
	if (!symbolizer)
		return;
	for (size_t i = 0; i < symbolizer->n_files; i++) {
		symbol_file_close(symbolizer->files[i]->symbols);
		free(symbolizer->files[i]->path);
		free(symbolizer->files[i]);
	}
	free(symbolizer->files);
	free(symbolizer->ranges);
	jit_map_destroy(symbolizer->jit);
	free(symbolizer);
}

static const struct code_range *find_range(const struct symbolizer *symbolizer, uint64_t addr)
{
	size_t low = 0, high = symbolizer->n_ranges;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (symbolizer->ranges[mid].end <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < symbolizer->n_ranges && symbolizer->ranges[low].start <= addr)
		return &symbolizer->ranges[low];
	return NULL;
}

static void find_in_file(const struct named_file *file, uint64_t vaddr, int is_return_address,
			 struct symbol *ret)
{
	if (file->symbols) {
		symbol_file_find(file->symbols, vaddr - (is_return_address ? 1 : 0), ret);
		if (ret->name)
			ret->offset += is_return_address ? 1 : 0;
	}
	ret->module = file->path;
}

/* Code of no file, or of one that is none of ELF's: a JIT compiler's, in anonymous or shared memory. */
static void find_in_jit(struct symbolizer *symbolizer, uint64_t addr, int is_return_address,
			struct symbol *ret)
{
	uint64_t start;

	ret->name = jit_map_find(symbolizer->jit, addr - (is_return_address ? 1 : 0), &start);
	if (!ret->name)
		return;
	ret->offset = addr - start;
	ret->source = "perf map";
}

void symbolizer_find(struct symbolizer *symbolizer, uint64_t addr, int is_return_address,
		     struct symbol *ret)
{
	const struct code_range *range = find_range(symbolizer, addr - (is_return_address ? 1 : 0));

	*ret = (struct symbol){0};
	if (range && !(range->file && range->file->symbols))
		find_in_jit(symbolizer, addr, is_return_address, ret);
	if (range && range->file)
		find_in_file(range->file, addr - range->load_bias, is_return_address, ret);
}

/* NULL: no memory. */
static const struct named_file *file_of_module(struct symbolizer *symbolizer,
					       const struct module *module)
{
	struct named_file *file = find_file(symbolizer, module->id, module->path);

	if (file)
		return file;
	file = add_file(symbolizer, module->id, module->path);
	if (file)
		symbol_file_open(elf_file_fd(module->elf), module->path, symbolizer->naming,
				 &file->symbols);
	return file;
}

void symbolizer_find_in_module(struct symbolizer *symbolizer, const struct module *module,
			       uint64_t vaddr, int is_return_address, struct symbol *ret)
{
	const struct named_file *file = file_of_module(symbolizer, module);

	*ret = (struct symbol){0};
	if (file)
		find_in_file(file, vaddr, is_return_address, ret);
}

void symbolizer_prepare(struct symbolizer *symbolizer, const struct module *module,
			const uint64_t *vaddrs, size_t n)
{
	const struct named_file *file = file_of_module(symbolizer, module);

	if (file && file->symbols)
		symbol_file_prepare(file->symbols, vaddrs, n);
}
