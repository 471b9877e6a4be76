/* SPDX-License-Identifier: BSD-2-Clause */
/* What `dwunw check` must know of a machine: what an instruction does to the stack, and what the kernel puts there for a signal. */
#ifndef DWUNW_CHECK_MACHINE_H
#define DWUNW_CHECK_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LONGEST_INSTRUCTION 16

struct arch;

enum instruction_kind {
	KIND_OTHER,
	KIND_CALL,
	KIND_RETURN,
	KIND_JUMP,    /* indirect: may leave the function for any other */
	KIND_POP,     /* moves the top of the stack to a register or to memory */
	KIND_SP_MOVE, /* the stack pointer becomes what another register holds */
	KIND_SP_LOAD, /* or what memory holds */
	KIND_SYSCALL,
	KIND_TRAP, /* raises SIGTRAP of itself */
};

struct instruction {
	uint8_t kind; /* enum instruction_kind */
	uint8_t size; /* bytes; 0: not understood */
	bool may_write;
};

struct machine {
	unsigned int call_size; /* bytes that a call pushes */
	/* Where above the stack pointer of a signal handler's first instruction the interrupted one and the pc are kept. */
	unsigned int signal_sp, signal_pc;
};

struct decoder;

/* -ENOTSUP: nothing is known of this machine. */
int decoder_create(const struct arch *arch, struct decoder **ret);
void decoder_destroy(struct decoder *decoder);
const struct machine *decoder_machine(const struct decoder *decoder);
/* Bytes that make no sense give an instruction of size 0 that may do anything but call and return. */
struct instruction decode(struct decoder *decoder, const uint8_t *code, size_t size, uint64_t pc);

#endif
