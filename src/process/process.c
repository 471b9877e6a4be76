/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "process/attach.h"
#include "process/maps.h"
#include "process/process.h"

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
	new->permanent = old->permanent;
	old->module = NULL;
}

void process_take_mappings(struct module_cache *cache, struct process *process, struct mapping *new,
			   size_t n_new, bool *changed)
{
	struct mapping *old = process->mappings;
	size_t n_old = process->n_mappings, o = 0;
	bool any = false;

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
		mapping_attach(cache, process->pid, &new[i]);
	}
	for (; o < n_old; o++)
		any |= old[o].executable;
	free_mappings(cache, old, n_old);
	process->mappings = new;
	process->n_mappings = n_new;
	if (changed)
		*changed = any;
}

int process_refresh(struct module_cache *cache, struct process *process, bool *changed)
{
	struct mapping *mappings;
	size_t n;
	int err = maps_read(process->pid, &mappings, &n);

	if (!err)
		process_take_mappings(cache, process, mappings, n, changed);
	return err;
}

void process_clear(struct module_cache *cache, struct process *process)
{
	free_mappings(cache, process->mappings, process->n_mappings);
}

void process_close(struct module_cache *cache, struct process *process)
{
	if (!process)
		return;
	process_clear(cache, process);
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
