/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "elf/elf_file.h"
#include "process/maps.h"
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

static int get_file_module(struct module_cache *cache, pid_t pid, const struct mapping *mapping,
			   struct module **ret)
{
	int fd = process_open_mapping(pid, mapping);
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

static void attach_module(struct module_cache *cache, pid_t pid, struct mapping *mapping)
{
	struct module *module;
	int err;

	if (!mapping->executable)
		return;
	if (mapping->path[0] == '/' && mapping->inode != 0)
		err = get_file_module(cache, pid, mapping, &module);
	else if (strcmp(mapping->path, "[vdso]") == 0)
		err = get_vdso_module(cache, pid, mapping, &module);
	else
		return;
	if (!err) {
		err = find_load_bias(module->elf, mapping, &mapping->load_bias);
		if (err)
			module_put(cache, module);
		else
			mapping->module = module;
	}
	mapping->error = err;
}

static void free_mappings(struct module_cache *cache, struct mapping *mappings, size_t n)
{
	for (size_t i = 0; i < n; i++)
		module_put(cache, mappings[i].module);
	maps_free(mappings, n);
}

static bool same_mapping(const struct mapping *a, const struct mapping *b)
{
	return a->start == b->start && a->end == b->end && a->file_off == b->file_off &&
	       a->dev_major == b->dev_major && a->dev_minor == b->dev_minor &&
	       a->inode == b->inode && a->executable == b->executable &&
	       strcmp(a->path, b->path) == 0;
}

int process_open(struct module_cache *cache, pid_t pid, struct process **ret)
{
	struct process *process = calloc(1, sizeof(*process));
	int err;

	if (!process)
		return -ENOMEM;
	process->pid = pid;
	err = process_refresh(cache, process, NULL);
	if (err) {
		free(process);
		return err;
	}
	*ret = process;
	return 0;
}

/* Hands the old mapping's module to the new one, so that its file is not opened again. */
static void take_over(struct mapping *new, struct mapping *old)
{
	new->module = old->module;
	new->load_bias = old->load_bias;
	new->error = old->error;
	new->since = old->since;
	old->module = NULL;
}

int process_refresh(struct module_cache *cache, struct process *process, bool *changed)
{
	struct mapping *new, *old = process->mappings;
	size_t n_new, n_old = process->n_mappings, o = 0;
	bool any = false;
	int err = maps_read(process->pid, &new, &n_new);

	if (err)
		return err;
	/* Both lists are in order of addresses. */
	for (size_t i = 0; i < n_new; i++) {
		for (; o < n_old && old[o].start < new[i].start; o++)
			any |= old[o].executable;
		if (o < n_old && same_mapping(&old[o], &new[i])) {
			take_over(&new[i], &old[o]);
			o++;
			/* What could not be opened may be possible now; a file that is no ELF stays so. */
			if (new[i].error == 0 || new[i].error == -ENOEXEC)
				continue;
		} else {
			any |= new[i].executable;
		}
		attach_module(cache, process->pid, &new[i]);
	}
	for (; o < n_old; o++)
		any |= old[o].executable;
	free_mappings(cache, old, n_old);
	process->mappings = new;
	process->n_mappings = n_new;
	if (changed)
		*changed = any;
	return 0;
}

void process_close(struct module_cache *cache, struct process *process)
{
	if (!process)
		return;
	free_mappings(cache, process->mappings, process->n_mappings);
	free(process);
}

const struct mapping *process_find_mapping(const struct process *process, uint64_t addr)
{
	size_t low = 0, high = process->n_mappings;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (process->mappings[mid].end <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < process->n_mappings && process->mappings[low].start <= addr)
		return &process->mappings[low];
	return NULL;
}
