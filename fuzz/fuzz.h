/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the fuzz targets share. Each NAME_fuzz.c defines LLVMFuzzerTestOneInput() and is linked twice: with libFuzzer, which invents
 * inputs (make fuzz), and with driver.c, which replays files (make test).
 *
 * An input begins with a few bytes that choose the circumstances; what it is too short for is 0, so that every input says something.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must be true whatever the input; its failure is a finding like any crash. */
#define HOLDS(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__,          \
				#condition);                                                       \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

struct input {
	const uint8_t *pos;
	size_t left;
};

/* Little-endian number of `size` bytes. */
static inline uint64_t input_uint(struct input *input, unsigned int size)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < size && input->left; i++, input->left--)
		value |= (uint64_t)*input->pos++ << 8 * i;
	return value;
}

/* Up to `size` bytes in memory of their own, so that a sanitizer sees a read past them. To be freed; *ret: how many there were. */
static inline uint8_t *input_bytes(struct input *input, size_t size, size_t *ret)
{
	size_t n = size < input->left ? size : input->left;
	uint8_t *bytes = malloc(n ? n : 1);

	HOLDS(bytes);
	if (n)
		memcpy(bytes, input->pos, n);
	input->pos += n;
	input->left -= n;
	*ret = n;
	return bytes;
}

/* One byte: an architecture that libdwunw has. */
static inline const struct arch *input_arch(struct input *input)
{
	static const struct {
		uint16_t machine;
		uint8_t elf_class, elf_data;
	} kinds[] = {
		{EM_X86_64, ELFCLASS64, ELFDATA2LSB}, {EM_AARCH64, ELFCLASS64, ELFDATA2LSB},
		{EM_RISCV, ELFCLASS64, ELFDATA2LSB},  {EM_MIPS, ELFCLASS32, ELFDATA2MSB},
		{EM_MIPS, ELFCLASS32, ELFDATA2LSB},
	};
	size_t i = input_uint(input, 1) % (sizeof(kinds) / sizeof(kinds[0]));
	const struct arch *arch =
		arch_find(kinds[i].machine, kinds[i].elf_class, kinds[i].elf_data);

	HOLDS(arch);
	return arch;
}

/* The same numbers for the same input. */
static inline uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

#endif
