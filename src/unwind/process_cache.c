/* SPDX-License-Identifier: BSD-2-Clause */
#include "unwind/process_cache.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "process/process.h"
#include "unwind/unwind.h"

#define N_BUCKETS 64 /* power of two; a process maps some tens of files, a browser hundreds */

struct name {
	struct name *next;
	char text[];
};

struct entry {
	struct known_process known; /* first: the two pointers are the same */
	struct entry *next;
	struct name *names[N_BUCKETS];
};

struct process_cache {
	struct module_cache *modules;
	unsigned int max_processes;
	uint64_t last_epoch;
	uint64_t dropped, dropped_for_modules;
	struct entry *first;
	/* What process_cache_trim() could not help. */
	size_t bytes_left;
	const struct known_process *kept;
};

int process_cache_create(struct module_cache *modules, unsigned int max_processes,
			 struct process_cache **ret)
{
	struct process_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return -ENOMEM;
	cache->modules = modules;
	cache->max_processes = max_processes;
	*ret = cache;
	return 0;
}

static void entry_free(struct process_cache *cache, struct entry *entry)
{
	for (size_t i = 0; i < N_BUCKETS; i++) {
		for (struct name *name = entry->names[i], *next; name; name = next) {
			next = name->next;
			free(name);
		}
	}
	process_close(cache->modules, entry->known.process);
	free(entry->known.modules);
	free(entry);
}

/* Takes the entry out of the list; NULL: it is not there. */
static struct entry *take(struct process_cache *cache, pid_t pid)
{
	for (struct entry **p = &cache->first; *p; p = &(*p)->next) {
		struct entry *entry = *p;

		if (entry->known.pid == pid) {
			*p = entry->next;
			return entry;
		}
	}
	return NULL;
}

bool process_cache_has(const struct process_cache *cache, pid_t pid)
{
	const struct entry *entry = cache->first;

	while (entry && entry->known.pid != pid)
		entry = entry->next;
	return entry;
}

static void put_in_front(struct process_cache *cache, struct entry *entry)
{
	entry->next = cache->first;
	cache->first = entry;
}

int process_cache_forget(struct process_cache *cache, pid_t pid)
{
	struct entry *entry = take(cache, pid);

	if (!entry)
		return -ENOENT;
	entry_free(cache, entry);
	return 0;
}

void process_cache_destroy(struct process_cache *cache)
{
	if (!cache)
		return;
	while (cache->first)
		process_cache_forget(cache, cache->first->known.pid);
	free(cache);
}

/* The entry's own copy of `path`; NULL: no memory. */
static const char *intern(struct entry *entry, const char *path)
{
	size_t size = strlen(path) + 1;
	struct name **bucket, *name;
	uint32_t hash = 0;

	for (const char *p = path; *p; p++)
		hash = hash * 31 + (unsigned char)*p;
	bucket = &entry->names[hash & (N_BUCKETS - 1)];
	for (name = *bucket; name; name = name->next)
		if (strcmp(name->text, path) == 0)
			return name->text;
	name = malloc(sizeof(*name) + size);
	if (!name)
		return NULL;
	memcpy(name->text, path, size);
	name->next = *bucket;
	*bucket = name;
	return name->text;
}

static bool is_file(const struct mapping *mapping)
{
	return mapping->executable && (mapping->path[0] == '/' || mapping->module);
}

static int set_modules(struct entry *entry)
{
	const struct process *process = entry->known.process;
	struct frame_module *modules = calloc(process->n_mappings, sizeof(*modules));
	int err = modules ? 0 : -ENOMEM;

	for (size_t i = 0; i < process->n_mappings && !err; i++) {
		const struct mapping *mapping = &process->mappings[i];

		if (!is_file(mapping))
			continue;
		modules[i] = frame_module_of(mapping, intern(entry, mapping->path));
		err = modules[i].path ? 0 : -ENOMEM;
	}
	free(entry->known.modules);
	/* The array of before is of no use: it belonged to mappings that are gone. */
	if (err) {
		free(modules);
		modules = NULL;
	}
	entry->known.modules = modules;
	return err;
}

/* The last in the list, if there are too many. */
static void drop_surplus(struct process_cache *cache)
{
	const struct entry *entry = cache->first;
	unsigned int n = 1;

	for (; entry->next; entry = entry->next)
		n++;
	if (n > cache->max_processes) {
		process_cache_forget(cache, entry->known.pid);
		cache->dropped++;
	}
}

static void mark_modules(const struct entry *entry, int by)
{
	const struct process *process = entry->known.process;

	for (size_t i = 0; i < process->n_mappings; i++)
		if (process->mappings[i].module)
			process->mappings[i].module->mark += (unsigned int)by;
}

/* Once every process that may be dropped is marked: whether a module is referred to by such processes alone. */
static bool is_worth_dropping(const struct entry *entry)
{
	const struct process *process = entry->known.process;

	for (size_t i = 0; i < process->n_mappings; i++) {
		const struct module *module = process->mappings[i].module;

		if (module && module->mark == module->refs)
			return true;
	}
	return false;
}

/* Never one that is not marked: its modules have a reference more than marks. */
static struct entry *oldest_worth_dropping(const struct process_cache *cache)
{
	struct entry *found = NULL;

	for (struct entry *entry = cache->first; entry; entry = entry->next)
		if (is_worth_dropping(entry))
			found = entry;
	return found;
}

static void mark_all(const struct process_cache *cache, const struct known_process *keep, int by)
{
	for (const struct entry *entry = cache->first; entry; entry = entry->next)
		if (&entry->known != keep)
			mark_modules(entry, by);
}

void process_cache_trim(struct process_cache *cache, const struct known_process *keep)
{
	struct module_cache_stats stats;
	struct entry *entry;

	if (!module_cache_is_over(cache->modules))
		return;
	module_cache_get_stats(cache->modules, &stats);
	/* What others hold may stay over the bound for long; a capture must not pay for it each time. */
	if (cache->kept == keep && stats.bytes == cache->bytes_left)
		return;
	mark_all(cache, keep, 1);
	while (module_cache_is_over(cache->modules) && (entry = oldest_worth_dropping(cache))) {
		mark_modules(entry, -1);
		process_cache_forget(cache, entry->known.pid);
		cache->dropped_for_modules++;
	}
	mark_all(cache, keep, -1);
	module_cache_get_stats(cache->modules, &stats);
	cache->bytes_left = stats.bytes;
	cache->kept = keep;
}

uint64_t process_cache_new_epoch(struct process_cache *cache)
{
	return ++cache->last_epoch;
}

void process_cache_get_stats(const struct process_cache *cache, struct process_cache_stats *ret)
{
	*ret = (struct process_cache_stats){
		.dropped = cache->dropped,
		.dropped_for_modules = cache->dropped_for_modules,
	};
	for (const struct entry *entry = cache->first; entry; entry = entry->next)
		ret->processes++;
}

static int open_entry(struct process_cache *cache, pid_t pid, pid_t tid, struct entry **ret)
{
	struct entry *entry = calloc(1, sizeof(*entry));
	int err;

	if (!entry)
		return -ENOMEM;
	entry->known.pid = pid;
	entry->known.epoch = ++cache->last_epoch;
	err = process_open(cache->modules, tid, &entry->known.process);
	if (!err)
		err = set_modules(entry);
	if (err) {
		entry_free(cache, entry);
		return err;
	}
	*ret = entry;
	return 0;
}

int process_cache_get(struct process_cache *cache, pid_t pid, pid_t tid, bool *fresh,
		      struct known_process **ret)
{
	struct entry *entry = take(cache, pid);
	bool is_new = !entry;

	if (is_new) {
		int err = open_entry(cache, pid, tid, &entry);

		if (err)
			return err;
	}
	put_in_front(cache, entry);
	if (is_new)
		drop_surplus(cache);
	*fresh = is_new;
	*ret = &entry->known;
	return 0;
}

int process_cache_refresh(struct process_cache *cache, struct known_process *known, pid_t tid)
{
	bool changed;
	int err;

	/* The thread it was opened by may have ended since. */
	known->process->pid = tid;
	err = process_refresh(cache->modules, known->process, &changed);
	if (!err && changed)
		known->epoch = ++cache->last_epoch;
	return err ? err : set_modules((struct entry *)known);
}
