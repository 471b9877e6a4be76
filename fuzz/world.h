/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process at fixed addresses, made of the C library and dynamic linker of this one, of a file with CFI that those do not have, of
 * code without a file, of a file that cannot be read and of a stack; and words that lead into it more often than random ones would.
 */
#ifndef FUZZ_WORLD_H
#define FUZZ_WORLD_H

#include <errno.h>
#include <unistd.h>

#include "../tests/unit/elf_image.h"
#include "process/module.h"
#include "fuzz.h"

#define WORLD_STACK 0x7ffd00000000ULL

enum { WORLD_MADE = 2, WORLD_ANONYMOUS, WORLD_UNREADABLE, WORLD_DATA, WORLD_N_MAPPINGS };

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
		const struct cfi *cfi;

		if (!from->module || module_cfi(from->module, &cfi) || !strstr(from->path, part))
			continue;
		to->end = start + (from->end - from->start);
		to->load_bias = from->load_bias - from->start + start;
		to->module = from->module;
		to->path = from->path;
		return;
	}
}

/* A function of 256 bytes. */
static void world_add_fde(struct bytes *eh, size_t cie, uint64_t vaddr, const char *program,
			  size_t size)
{
	size_t at = eh->size + 4;

	put_uint(eh, 20 + size, 4);
	put_uint(eh, at - cie, 4);
	put_uint(eh, vaddr, 8);
	put_uint(eh, 0x100, 4);
	put_uint(eh, 0, 4);
	put(eh, program, size);
}

/* CFA: r7 + 8; return address: r16 at CFA - 8. `signal`: of signal frames. */
static size_t world_add_cie(struct bytes *eh, bool signal)
{
	size_t at = eh->size;

	put_uint(eh, 16, 4);
	put_uint(eh, 0, 4);
	put(eh, signal ? "\1S\0" : "\1\0\1", 3);
	put(eh, signal ? "\1\x78\x10\x0c\7\x08\x90\1\0" : "\x78\x10\x0c\7\x08\x90\1\0\0", 9);
	return at;
}

#define WORLD_FDE(cie, vaddr, program) world_add_fde(&eh, cie, vaddr, program, sizeof(program) - 1)

/* What the C library has little of: expressions, other registers, a signal frame with no code before it, and nonsense. */
static void world_make(struct module_cache *cache, struct mapping *to, uint64_t start)
{
	struct bytes eh = {0}, image;
	struct image_section section = {".eh_frame", 0x2000, NULL, 0};
	size_t plain = world_add_cie(&eh, false), signal;
	const struct cfi *cfi;

	WORLD_FDE(plain, 0x100, "\x41\x0e\x10\x86\2\x43\x0d\6");
	WORLD_FDE(plain, 0x200, "\x0f\3\x76\x78\6");
	WORLD_FDE(plain, 0x300, "\x0c\x0a\0\x09\x10\5");
	WORLD_FDE(plain, 0x400, "\x16\6\2\x76\x10\x14\7\2\x10\3\2\x77\x18");
	WORLD_FDE(plain, 0x600, "\7\x10");
	WORLD_FDE(plain, 0x700, "\x3f");
	WORLD_FDE(plain, 0x800, "\x0f\3\x2f\xfd\xff");
	WORLD_FDE(plain, 0x500, "\x0f\4\x77\x10\x38\x22\x10\6\4\x77\x10\x38\x22");
	WORLD_FDE(plain, 0x900, "\x86\3"); /* the frame pointer is saved below the stack pointer */
	WORLD_FDE(plain, 0xd00, "\x16\6\2\x76\x10"); /* it is 16 more than it was */
	WORLD_FDE(plain, 0xc00,
		  "\x0e\x10\x10\x10\3\x38\x1c\6\x16\6\4\x77\x10\x38\x1c\x10\3\2\x38\x1c");
	signal = world_add_cie(&eh, true);
	WORLD_FDE(signal, 0xa00, "\x10\x10\2\x77\x08\x10\6\2\x77\x10\x0f\3\x77\x18\6");
	WORLD_FDE(signal, 0xb00, "");
	section.data = eh.data;
	section.size = eh.size;
	image = make_elf(&section, 1, 0x3000);
	*to = (struct mapping){.start = start,
			       .end = start + 0x1000,
			       .load_bias = start,
			       .executable = true,
			       .path = (char *)"made"};
	HOLDS(module_cache_get_memory(cache, image.data, image.size, "made", &to->module) == 0);
	HOLDS(module_cfi(to->module, &cfi) == 0);
	free(image.data);
	free(eh.data);
}

/* Once; what it opens stays open. */
static void world_open(void)
{
	static struct module_cache *cache;
	static struct process *self;

	if (self)
		return;
	HOLDS(module_cache_create(0, &cache) == 0);
	HOLDS(process_open(cache, getpid(), &self) == 0);
	world_add(self, &world_mappings[0], "/libc.", 0x7f0000000000);
	world_add(self, &world_mappings[1], "/ld", 0x7f1000000000);
	world_make(cache, &world_mappings[WORLD_MADE], 0x7f2000000000);
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
