/* SPDX-License-Identifier: BSD-2-Clause */
#include "placement.h"

#include <string.h>

#include "arch/arch.h"
#include "placement_arch.h"

/*
 * Functions larger than this (16 times the largest allocator seen) keep their probe at the entry.
 */
#define MAX_FUNCTION_SIZE (256 * 1024)

static const struct placement_arch *const archs[] = {&placement_arch_x86_64};

const struct placement_arch *placement_native_arch(void)
{
	const struct arch *native = arch_native();

	for (size_t i = 0; native && i < sizeof(archs) / sizeof(archs[0]); i++) {
		if (archs[i]->machine == native->machine)
			return archs[i];
	}
	return NULL;
}

/* A function's bytes and where in it decoding stands. */
struct decoder {
	const struct placement_arch *arch;
	csh handle;
	cs_insn *insn;
	const uint8_t *code;
	size_t left;
	uint64_t vaddr, next;
};

static bool decode_next(struct decoder *decoder)
{
	return cs_disasm_iter(decoder->handle, &decoder->code, &decoder->left, &decoder->next,
			      decoder->insn);
}

/* Where the arguments are that the probe reads. False: some are lost, or not where the program would look. */
static bool locate_arguments(const struct placement_arch *arch,
			     const struct placement_registers *registers, unsigned int n_args,
			     unsigned int flags, struct placement *ret)
{
	for (unsigned int i = 0; i < n_args; i++) {
		uint8_t own = arch->arguments[i];
		uint32_t holders = registers->holders[i];

		if (!holders)
			return false;
		ret->registers[i] = holders >> own & 1 ? own : (uint8_t)__builtin_ctz(holders);
		ret->moved |= ret->registers[i] != own;
	}
	return !ret->moved || flags & PLACEMENT_MOVED_ARGS;
}

/* The first emulated instruction behind instructions that can be skipped. False: there is none. */
static bool find_emulated(struct decoder decoder, unsigned int n_args, unsigned int flags,
			  struct placement *ret)
{
	struct placement_registers registers = {.keep_sp = flags & PLACEMENT_KEEP_SP};

	for (unsigned int i = 0; i < n_args; i++)
		registers.holders[i] = 1u << decoder.arch->arguments[i];
	while (decode_next(&decoder)) {
		if (decoder.arch->is_emulated(decoder.insn)) {
			ret->offset = decoder.insn->address - decoder.vaddr;
			ret->emulated = true;
			return locate_arguments(decoder.arch, &registers, n_args, flags, ret);
		}
		if (!decoder.arch->skip(decoder.insn, &registers))
			return false;
	}
	return false;
}

/*
 * Whether some branch of the function may lead to (start, start + offset]: the probe there would
 * fire again, or without the instructions before it. True also where the function cannot be decoded
 * to its end.
 */
static bool may_be_branched_to(struct decoder decoder, uint64_t offset)
{
	while (decoder.left > 0) {
		uint64_t target = 0;

		if (!decode_next(&decoder))
			return true;
		switch (decoder.arch->branch(decoder.insn, &target)) {
		case PLACEMENT_NO_BRANCH:
			break;
		case PLACEMENT_BRANCH_TO:
			if (target - decoder.vaddr - 1 < offset)
				return true;
			break;
		case PLACEMENT_BRANCH_ANYWHERE:
			return true;
		}
	}
	return false;
}

static void find(const struct decoder *decoder, unsigned int n_args, unsigned int flags,
		 struct placement *ret)
{
	struct placement place = {0};

	if (find_emulated(*decoder, n_args, flags, &place) &&
	    (place.offset == 0 || !may_be_branched_to(*decoder, place.offset)))
		*ret = place;
}

void placement_find(const uint8_t *code, size_t size, uint64_t vaddr, unsigned int n_args,
		    unsigned int flags, struct placement *ret)
{
	struct decoder decoder = {.arch = placement_native_arch(),
				  .code = code,
				  .left = size,
				  .vaddr = vaddr,
				  .next = vaddr};

	*ret = (struct placement){0};
	if (!decoder.arch || size > MAX_FUNCTION_SIZE)
		return;
	if (n_args > PLACEMENT_MAX_ARGS)
		n_args = PLACEMENT_MAX_ARGS;
	memcpy(ret->registers, decoder.arch->arguments, n_args);
	if (cs_open(decoder.arch->arch, decoder.arch->mode, &decoder.handle) != CS_ERR_OK)
		return;
	if (cs_option(decoder.handle, CS_OPT_DETAIL, CS_OPT_ON) == CS_ERR_OK)
		decoder.insn = cs_malloc(decoder.handle);
	if (decoder.insn) {
		find(&decoder, n_args, flags, ret);
		cs_free(decoder.insn, 1);
	}
	cs_close(&decoder.handle);
}
