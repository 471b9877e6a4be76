/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An allocator to be probed with -O: bump allocation, and free lists by size, from one static arena. Before malloc takes
 * anything it calls a hook, which may leave with longjmp(), as an out-of-memory handler of an interpreter does. calloc and
 * realloc call malloc and free as a program does, so that their probes are hit inside one another.
 */
#include <stddef.h>
#include <string.h>

enum { ARENA = 16 << 20, CLASSES = 64, GRAIN = 256 };

struct header {
	size_t class;
	struct header *next;
};

static char arena[ARENA] __attribute__((aligned(16)));
static size_t used;
static struct header *freed[CLASSES];
static void (*hook)(void);

void allocator_set_hook(void (*new_hook)(void));
void *calloc(size_t count, size_t size);
void *realloc(void *block, size_t size);

/* Protected: the library's own calls mean these and not the C library's, which come first in the search order. */
__attribute__((visibility("protected"), noinline)) void *malloc(size_t size);
__attribute__((visibility("protected"), noinline)) void free(void *block);

void allocator_set_hook(void (*new_hook)(void))
{
	hook = new_hook;
}

static void *take(size_t size)
{
	size_t class = (size + GRAIN - 1) / GRAIN;
	struct header *header;

	if (class >= CLASSES || used + sizeof(*header) + class * GRAIN > ARENA)
		return NULL;
	header = freed[class];
	if (header) {
		freed[class] = header->next;
	} else {
		header = (struct header *)(arena + used);
		used += sizeof(*header) + class * GRAIN;
	}
	header->class = class;
	return header + 1;
}

void *malloc(size_t size)
{
	if (hook)
		hook();
	return take(size);
}

/* Through a variable, so that the compiler does not make a calloc of malloc and memset, here in calloc. */
static void *(*volatile inner_malloc)(size_t size) = malloc;

void *calloc(size_t count, size_t size)
{
	void *block = size && count > ARENA / size ? NULL : inner_malloc(count * size + GRAIN);

	return block ? memset(block, 0, count * size) : NULL;
}

void *realloc(void *block, size_t size)
{
	void *moved = inner_malloc(size + GRAIN);
	struct header *header = block ? (struct header *)block - 1 : NULL;

	if (!moved || !block)
		return moved;
	memcpy(moved, block, size < header->class * GRAIN ? size : header->class * GRAIN);
	free(block);
	return moved;
}

void free(void *block)
{
	struct header *header = block ? (struct header *)block - 1 : NULL;

	if (!header)
		return;
	header->next = freed[header->class];
	freed[header->class] = header;
}
