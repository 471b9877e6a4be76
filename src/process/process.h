/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A live process: its mappings and the ELF files behind them.
 *
 * A struct module is one ELF file, shared by every process that maps it (keyed by build ID; files without one by device, inode and
 * change time) and reference-counted; a struct module_cache owns them, and keeps those that nothing refers to until all of them together
 * are too much. A struct process is a snapshot of /proc/PID/maps joined with modules, replaced by process_refresh(). Not thread safe: one thread at a time per cache.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct cfi;
struct elf_file;
struct module_cache;
struct table;

struct module {
	char *path; /* as the target names it, "[vdso]" for the vDSO; first one seen */
	struct elf_file *elf;
	struct elf_file *debug; /* its debug file, where that has the CFI; else NULL */
	struct cfi *cfi;	/* module_cfi(); NULL until then, and where the file has none */
	bool cfi_is_known;
	struct table *table; /* module_table(); NULL until then */
	uint32_t id;	     /* unique in its cache, never 0, never reused */
	unsigned int refs;
	unsigned int mark; /* for process_cache_trim() */
	void *user;	   /* of whoever holds it until the end, who then leaves NULL */
};

struct mapping {
	uint64_t start, end;
	uint64_t file_off;
	uint64_t load_bias; /* addr - vaddr; only where module is set */
	uint64_t inode;
	uint32_t dev_major, dev_minor;
	bool executable;
	bool deleted;
	bool permanent; /* as long as the process image; of the owner of the process, kept as long as a refresh finds the mapping unchanged */
	char *path;	/* "" for anonymous memory; "[stack]", "[vdso]", "[uprobes]", ... */
	struct module *
		module; /* executable file mappings and the vDSO; NULL: none, or not readable (`error`) */
	int error; /* negative errno: why the file of an executable mapping could not be opened or is no ELF */
};

struct process {
	pid_t pid;
	size_t n_mappings;
	struct mapping *mappings; /* all of them, by address */
};

/*
 * Modules that nothing refers to are dropped, the longest unused first, while all modules take more than `max_bytes` (0: 256 MiB) or
 * are more than half of the files that this process may have open: each has a descriptor. The bytes are what is on the heap for a
 * file, in memory files too: headers, the sections read of it (as needed for stacks: CFI, sometimes symbols), plain where they are
 * compressed, indices and tables. Not the page cache, nor what the allocator adds.
 */
int module_cache_create(size_t max_bytes, struct module_cache **ret);
/* After the last module_put(). */
void module_cache_destroy(struct module_cache *cache);

struct module_cache_stats {
	size_t modules;
	size_t unused; /* of those, that nothing refers to */
	size_t bytes;
	uint64_t dropped; /* so far, because of a bound */
};

void module_cache_get_stats(const struct module_cache *cache, struct module_cache_stats *ret);
/* What is referred to takes more than a bound allows. */
bool module_cache_is_over(const struct module_cache *cache);

/* Reference for the caller; from an open file. */
int module_cache_get(struct module_cache *cache, int fd, const char *path, struct module **ret);
/* One more reference. */
static inline void module_hold(struct module *module)
{
	module->refs++;
}

void module_put(struct module_cache *cache, struct module *module);
/*
 * Opens the module's CFI if that has not been done: most files that a process maps are on none of its stacks, and reading the CFI of
 * a large one takes milliseconds. -ENOENT: there is none that can be used; -ENOMEM: not known.
 */
int module_cfi(struct module *module, const struct cfi **ret);
/* Compiles the module's table if that has not been done; -ENOENT: no CFI. */
int module_table(struct module *module, const struct table **ret);

/*
 * Reads /proc/PID/maps. Files are opened through /proc/PID/map_files, which needs the file to exist nowhere; without the
 * privilege for that, or where another file has been mapped there since, through /proc/PID/root plus the path, and only where device and
 * inode agree with the mapping. -ESRCH: no such process;
 * -EACCES / -EPERM: not permitted. One unreadable file is no failure: see mapping.error.
 */
int process_open(struct module_cache *cache, pid_t pid, struct process **ret);
/* Reads the mappings again; *changed (may be NULL): an executable mapping came, went or moved. On failure the old ones stay. */
int process_refresh(struct module_cache *cache, struct process *process, bool *changed);
/* The same with what maps_read() has read of it, which it takes over. */
void process_take_mappings(struct module_cache *cache, struct process *process,
			   struct mapping *mappings, size_t n, bool *changed);
void process_close(struct module_cache *cache, struct process *process);
/* Frees the mappings of a struct process that the caller made. */
void process_clear(struct module_cache *cache, struct process *process);

/* Its path is one, not "" or the kernel's word for something else. */
static inline bool mapping_has_path(const struct mapping *mapping)
{
	return mapping->path[0] && mapping->path[0] != '[';
}

/* The mapping that holds `addr`, or NULL. */
const struct mapping *process_find_mapping(const struct process *process, uint64_t addr);

/* Opens the file behind a mapping (map_files first, then root); a descriptor or a negative errno. */
int process_open_mapping(pid_t pid, const struct mapping *mapping);
/*
 * The same by path alone, for a mapping that may be gone: -ESTALE: the file is another one by device or inode, or was changed later than
 * `time_ns` (CLOCK_MONOTONIC), or just before.
 */
int process_open_past_mapping(pid_t pid, const struct mapping *mapping, uint64_t time_ns);
/* Opens what this process finds under the mapping's path. -ESTALE: its inode number is another, where the mapping has one. */
int process_open_here(const struct mapping *mapping);

#endif
