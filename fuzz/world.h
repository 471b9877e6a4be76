/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process at fixed addresses, made of the C library, dynamic linker and vDSO of this one, of code without a file, of a file
 * that cannot be read and of a stack; and words that lead into it more often than random ones would.
 */
#ifndef FUZZ_WORLD_H
#define FUZZ_WORLD_H

#include <errno.h>
#include <unistd.h>

#include "process/process.h"
#include "fuzz.h"

#define WORLD_STACK 0x7ffd00000000ULL

enum { WORLD_ANONYMOUS = 3, WORLD_UNREADABLE, WORLD_DATA, WORLD_N_MAPPINGS };

static struct mapping world_mappings[WORLD_N_MAPPINGS];
static struct process world = {
	.pid = 1, .mappings = world_mappings, .n_mappings = WORLD_N_MAPPINGS};

/* The code of the file whose path contains `part`, moved to `start`. */
static void world_add(const struct process *self, struct mapping *to, const char *part,
		      uint64_t start)
{
	*to = (struct mapping){
		.start = start, .end = start + 0x10000, .executable = true, .path = (char *)""};
	for (size_t i = 0; i < self->n_mappings; i++) {
		const struct mapping *from = &self->mappings[i];

		if (!from->module || !from->module->cfi || !strstr(from->path, part))
			continue;
		to->end = start + (from->end - from->start);
		to->load_bias = from->load_bias - from->start + start;
		to->module = from->module;
		to->path = from->path;
		return;
	}
}

/* Once; what it opens stays open. */
static void world_open(void)
{
	static struct module_cache *cache;
	static struct process *self;

	if (self)
		return;
	HOLDS(module_cache_create(&cache) == 0);
	HOLDS(process_open(cache, getpid(), &self) == 0);
	world_add(self, &world_mappings[0], "/libc.", 0x7f0000000000);
	world_add(self, &world_mappings[1], "/ld", 0x7f1000000000);
	world_add(self, &world_mappings[2], "[vdso]", 0x7f2000000000);
	for (int i = WORLD_ANONYMOUS; i < WORLD_N_MAPPINGS; i++)
		world_add(self, &world_mappings[i], "\n", 0x7f0000000000 + 0x1000000000 * i);
	world_mappings[WORLD_UNREADABLE].error = -EACCES;
	world_mappings[WORLD_DATA].executable = false;
}

/* A word of the process, from 4 bytes: the high byte says what the low 24 bits are. */
static uint64_t world_word(uint64_t bytes)
{
	uint64_t value = bytes & 0xffffff;
	unsigned int kind = bytes >> 24 & 7;
	const struct mapping *mapping;

	if (kind == 7)
		return (uint64_t)((int64_t)(value << 40) >> 40);
	if (kind == 6)
		return WORLD_STACK + (value & 0xffff);
	mapping = &world_mappings[kind];
	return mapping->start + value % (mapping->end - mapping->start);
}

#endif
