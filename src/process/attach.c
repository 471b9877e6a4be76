/* SPDX-License-Identifier: BSD-2-Clause */
#include "process/attach.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "elf/elf_file.h"
#include "process/module.h"
#include "process/vdso.h"

static bool segment_covers(const struct elf_segment *segment, uint64_t file_off, uint64_t page)
{
	uint64_t first = segment->file_off / page * page;
	uint64_t end = segment->file_off + segment->file_size;

	return segment->file_size > 0 && file_off >= first && file_off < end;
}

/*
 * A file's segments may have different biases between file offset and vaddr, and neighbours share a page of the file; then the one
 * whose first page the mapping starts with is meant. Segments that are not marked executable count only where no
 * other fits: READ_IMPLIES_EXEC and packers make them so.
 */
static int find_load_bias(const struct elf_file *elf, const struct mapping *mapping, uint64_t *bias)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	const struct elf_segment *best = NULL;
	int best_score = -1;

	for (size_t i = 0; i < elf_file_n_segments(elf); i++) {
		const struct elf_segment *segment = &elf_file_segments(elf)[i];
		int score;

		if (!segment_covers(segment, mapping->file_off, page))
			continue;
		score = 2 * segment->executable +
			(segment->file_off / page * page == mapping->file_off);
		if (score > best_score) {
			best = segment;
			best_score = score;
		}
	}
	if (!best)
		return -ENOEXEC;
	*bias = mapping->start - mapping->file_off + best->file_off - best->vaddr;
	return 0;
}

/* Closes `fd`, which may be a negative errno. */
static int get_module(struct module_cache *cache, int fd, const struct mapping *mapping,
		      struct module **ret)
{
	int err;

	if (fd < 0)
		return fd;
	err = module_cache_get(cache, fd, mapping->path, ret);
	close(fd);
	return err;
}

static int get_vdso_module(struct module_cache *cache, pid_t pid, const struct mapping *mapping,
			   struct module **ret)
{
	void *image;
	int err = vdso_read(pid, mapping, &image);

	if (err)
		return err;
	err = module_cache_get_memory(cache, image, mapping->end - mapping->start, mapping->path,
				      ret);
	free(image);
	return err;
}

static bool is_vdso(const struct mapping *mapping)
{
	return strcmp(mapping->path, "[vdso]") == 0;
}

static void set_module(struct module_cache *cache, struct mapping *mapping, struct module *module)
{
	mapping->error = find_load_bias(module->elf, mapping, &mapping->load_bias);
	if (mapping->error)
		module_put(cache, module);
	else
		mapping->module = module;
}

void mapping_attach(struct module_cache *cache, pid_t pid, struct mapping *mapping)
{
	struct module *module;
	int err;

	if (!mapping->executable)
		return;
	if (mapping->path[0] == '/' && mapping->inode != 0)
		err = get_module(cache, process_open_mapping(pid, mapping), mapping, &module);
	else if (is_vdso(mapping))
		err = get_vdso_module(cache, pid, mapping, &module);
	else
		return;
	mapping->error = err;
	if (!err)
		set_module(cache, mapping, module);
}

void mapping_attach_past(struct module_cache *cache, pid_t pid, uint64_t time_ns,
			 struct mapping *mapping)
{
	struct module *module;

	if (mapping->path[0] != '/' || mapping->inode == 0)
		return;
	mapping->error = get_module(cache, process_open_past_mapping(pid, mapping, time_ns),
				    mapping, &module);
	if (!mapping->error)
		set_module(cache, mapping, module);
}

static int get_own_vdso(struct module_cache *cache, const struct mapping *mapping,
			struct module **ret)
{
	size_t size = mapping->end - mapping->start;
	void *image;
	int err = vdso_read_own(size, &image);

	if (err)
		return err;
	err = module_cache_get_memory(cache, image, size, mapping->path, ret);
	free(image);
	return err;
}

static bool has_build_id(const struct module *module, const void *build_id, size_t size)
{
	size_t its_size;
	const uint8_t *its = elf_file_build_id(module->elf, &its_size);

	return size == its_size && memcmp(its, build_id, size) == 0;
}

void mapping_attach_given(struct module_cache *cache, struct mapping *mapping, const void *build_id,
			  size_t size)
{
	struct module *module;

	if (!mapping->executable)
		return;
	if (is_vdso(mapping))
		mapping->error = get_own_vdso(cache, mapping, &module);
	else if (mapping_has_path(mapping))
		mapping->error = get_module(cache, process_open_here(mapping), mapping, &module);
	else
		return;
	if (mapping->error)
		return;
	if (size && !has_build_id(module, build_id, size)) {
		mapping->error = -ESTALE;
		module_put(cache, module);
		return;
	}
	set_module(cache, mapping, module);
}
