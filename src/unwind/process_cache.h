/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processes that a context remembers, the one used last in front. One thread at a time, as the module cache that it
 * borrows.
 */
#ifndef UNWIND_PROCESS_CACHE_H
#define UNWIND_PROCESS_CACHE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct frame_module;
struct module_cache;
struct process;
struct process_cache;

struct known_process {
	pid_t pid; /* thread group; process->pid is any living thread of it */
	struct process *process;
	uint64_t
		epoch; /* another one for each process and each change of its executable mappings */
	/* Of each mapping of `process`. The paths stay until the process is forgotten, the array until it is refreshed. */
	struct frame_module *modules;
};

int process_cache_create(struct module_cache *modules, unsigned int max_processes,
			 struct process_cache **ret);
void process_cache_destroy(struct process_cache *cache);

bool process_cache_has(const struct process_cache *cache, pid_t pid);

/* A process that is new is opened by way of `tid`, one of its threads; *fresh says so. Errors are those of process_open(). */
int process_cache_get(struct process_cache *cache, pid_t pid, pid_t tid, bool *fresh,
		      struct known_process **ret);

/* Reads the mappings again. On failure the old ones stay. */
int process_cache_refresh(struct process_cache *cache, struct known_process *known, pid_t tid);

/* -ENOENT: it is not there. */
int process_cache_forget(struct process_cache *cache, pid_t pid);

/*
 * While the modules are over a bound of their cache: forgets processes other than `keep`, the one used longest ago first, if that frees
 * modules.
 */
void process_cache_trim(struct process_cache *cache, const struct known_process *keep);

/* For mappings that are of no process in the cache. */
uint64_t process_cache_new_epoch(struct process_cache *cache);

struct process_cache_stats {
	size_t processes;
	uint64_t dropped;	      /* so far, for want of places */
	uint64_t dropped_for_modules; /* by process_cache_trim() */
};

void process_cache_get_stats(const struct process_cache *cache, struct process_cache_stats *ret);

#endif
