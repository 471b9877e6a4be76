/* SPDX-License-Identifier: BSD-2-Clause */
/* What placement.c must know of an architecture's instructions. Immutable. */
#ifndef PLACEMENT_ARCH_H
#define PLACEMENT_ARCH_H

#include <stdbool.h>
#include <stdint.h>

#include <capstone/capstone.h>

#include "placement.h"

enum placement_branch {
	PLACEMENT_NO_BRANCH,	   /* goes on, leaves the function, or comes back behind a call */
	PLACEMENT_BRANCH_TO,	   /* may go on at the address that is returned */
	PLACEMENT_BRANCH_ANYWHERE, /* computed: may go on anywhere in the function */
};

/* Where a function goes on behind an instruction. */
enum placement_flow {
	PLACEMENT_NEXT,
	PLACEMENT_CALL, /* at the address that is returned, and behind it; 0: at one that is not known */
	PLACEMENT_EITHER, /* at the address, or behind it */
	PLACEMENT_JUMP,	  /* at the address */
	PLACEMENT_SLOT,	  /* at what the word at the address holds */
	PLACEMENT_RETURN, /* in the caller */
	PLACEMENT_LOST,	  /* where, is not known, or nowhere */
};

#define PLACEMENT_SAMPLE_SIZE 16

/* A function without arguments and result that begins with an instruction of some kind. */
struct placement_sample {
	const char *what;
	uint8_t code[PLACEMENT_SAMPLE_SIZE];
};

/* Behind some of a function's instructions. */
struct placement_registers {
	uint32_t holders
		[PLACEMENT_MAX_ARGS]; /* of each argument: bit i: register i (dense index) has it */
	bool keep_sp;
};

/* Before some instruction from which every way leads to a return, without a call: gates.h. */
struct placement_result {
	uint32_t holders; /* bit i: register i (dense index) has what the function will return */
	int32_t below; /* bytes from the stack pointer up to where it will be at the return instruction */
};

struct placement_arch {
	uint16_t machine; /* ELF e_machine */
	cs_arch arch;
	cs_mode mode;
	unsigned int sp;	  /* DWARF number of the stack pointer */
	unsigned int return_size; /* bytes that a call pushes */
	/* uprobes emulate it. */
	bool (*is_emulated)(const cs_insn *insn);
	uint8_t arguments[PLACEMENT_MAX_ARGS]; /* registers of the first arguments */
	/*
	 * Surely executed exactly once, with the next instruction following, and leaves, with keep_sp, the stack pointer alone;
	 * then it notes what becomes of the arguments.
	 */
	bool (*skip)(const cs_insn *insn, struct placement_registers *registers);
	/* Fills *ret for PLACEMENT_BRANCH_TO. */
	enum placement_branch (*branch)(const cs_insn *insn, uint64_t *ret);
	enum placement_flow (*flow)(const cs_insn *insn, uint64_t *ret);
	/*
	 * From what is behind the instruction to what is before it; for a return instruction *result is set. False: it is not known what
	 * the instruction does, or nothing has the result before it.
	 */
	bool (*undo)(const cs_insn *insn, struct placement_result *result);
	/* Of a conditional jump the condition on which it jumps (dwunw_condition.h), 0: it is none; and its opposite. */
	unsigned int (*condition)(const cs_insn *insn);
	unsigned int (*opposite)(unsigned int condition);
	const struct placement_sample *emulated; /* one of each kind that is_emulated() knows */
	size_t n_emulated;
	struct placement_sample stepped; /* one that no kernel emulates */
};

/* Of the machine that this runs on; NULL: none of ours. */
const struct placement_arch *placement_native_arch(void);

extern const struct placement_arch placement_arch_x86_64;

#endif
