/* SPDX-License-Identifier: BSD-2-Clause */
/* The allocators of a process: which files, which functions, where in them the probes go. */
#ifndef ALLOCATOR_H
#define ALLOCATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/probe.h"
#include "memleak_dwunw_events.h"
#include "placement.h"

#define ALLOCATOR_MAX_PROBES 256

struct mapping;
struct module;
struct module_cache;
struct process;

/* Which programs a place gets. */
enum allocator_role {
	ALLOCATOR_CALL,	      /* at its entry, and at its return */
	ALLOCATOR_MAPPING,    /* the same, of the mmap family */
	ALLOCATOR_FREE,	      /* at its entry */
	ALLOCATOR_FREE_MOVED, /* the same, where the block is in another register by then */
	ALLOCATOR_NEW, /* at its entry, and as ALLOCATOR_NEW_RETURN at the instructions with which it returns */
	ALLOCATOR_NEW_RETURN,
	ALLOCATOR_NEW_GATE, /* what stands for one or more of these: gates.h */
	ALLOCATOR_THROW,    /* at its entry */
};

/* One file that has an allocator. */
struct allocator {
	char *path;	    /* as the target names it */
	int fd;		    /* of the file, for attaching: /proc/self/fd/N */
	uint32_t module_id; /* struct module's */
	const char *maker;  /* "glibc", "jemalloc", ...; "an allocator": not known */
	bool is_pure;	    /* a library that is nothing else */
	bool is_c_library;  /* a library, not a program with one in it */
	size_t n_probes;
	struct probe probes[ALLOCATOR_MAX_PROBES]; /* cookies: enum memleak_function */
	enum allocator_role roles[ALLOCATOR_MAX_PROBES];
	uint64_t functions[ALLOCATOR_MAX_PROBES]; /* vaddrs of their entries */
	const char *names[ALLOCATOR_MAX_PROBES];  /* of allocator_functions, without a prefix */
	struct placement places[ALLOCATOR_MAX_PROBES];
	char untraceable[256]; /* operators new whose returns could not be found, for a message */
	char missing[256];     /* functions that the file does not have, for a message */
};

/* Those of one process. */
struct allocators {
	bool at_returns; /* to be set first: operator new is to be seen at its return instructions alone */
	struct allocator *list;
	size_t n;
	uint32_t *others; /* ids of modules that were looked at and have none */
	size_t n_others;
};

/*
 * The one in `object` (a path, the last component of one, or a soname) among the mappings, its functions' names beginning with `prefix`.
 * -ENOENT: it is not mapped; -ENOSYS: it is, but has none of the functions. It is added to `ret`.
 */
int allocator_find(pid_t pid, const struct process *process, const char *object, const char *prefix,
		   struct allocators *ret);
/*
 * Every file among the mappings that defines malloc, or malloc and free with `prefix` where that is not "", or with an allocator's own
 * prefix (je_malloc): a file may have several of these. Adds the ones that are not in `ret` yet. -ENOENT: there is none, nor was before;
 * -EPERM or -EACCES: the same, and some file could not be opened.
 */
int allocator_find_all(pid_t pid, const struct process *process, const char *prefix,
		       struct allocators *ret);
/*
 * Whether a mapping that the code at `addr` makes is an allocator's own, to give out later: that code is in a library that is nothing else,
 * or in a C library and no more than `reserves` address space, as glibc's arenas are, which free() may make too.
 */
bool allocator_maps_for_itself(const struct allocators *allocators, const struct process *process,
			       uint64_t addr, bool reserves);
/*
 * Whether each library that the program asks for is mapped: the dynamic linker is done with the first ones. True where that is not known.
 */
bool allocator_libraries_are_mapped(const struct process *process);
/* The mapping of `object`, NULL: of any file with code, that may not be opened. NULL: there is none. */
const struct mapping *allocator_mapping(const struct process *process, const char *object);
/*
 * For a process whose mappings may not be read: `object` is a path, or the soname of a library that this program uses itself.
 * Whether the process uses it is not known. -ENOENT: neither of both.
 */
int allocator_find_unread(struct module_cache *modules, const char *object, const char *prefix,
			  struct allocators *ret);
void allocators_close(struct allocators *allocators);

/* A line such as "jemalloc in /usr/lib/libjemalloc.so.2, glibc in /usr/lib/libc.so.6", of those from `first` on. */
void allocators_describe(const struct allocators *allocators, size_t first, char *ret, size_t size);

/*
 * Where in its functions the probes are, such as "malloc +0, free +3, emulated; munmap +0, operator new's return, single-stepped". `hot_only`:
 * only those that are single-stepped, of functions that programs call often; "" where there are none.
 */
void allocator_describe_places(const struct allocator *allocator, bool hot_only, char *ret,
			       size_t size);

#endif
