/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An architecture, as data. Porting guide: a new architecture is one folder src/arch/NAME/ with
 *
 *   dwunw_arch.h      struct dwunw_step_arch: word size, dense indices of sp, fp and link register,
 *                     callee-saved mask, the rule of a frame that keeps a frame pointer
 *   dwunw_arch.bpf.h  dwunw_arch_regs(): struct pt_regs -> dense registers, for the BPF side
 *   NAME.c            struct arch below: the map from DWARF register numbers to dense indices, the
 *                     column of the return address, register names, what signal handlers return to
 *   arch.mk           what the build must know
 *
 * plus its line in arch.c, its fixtures under tests/fixtures/NAME/ (made by tests/fixtures/make) and its word in mk/cross.mk, by
 * which `make test-arch` proves it in an emulator. Nothing outside src/arch knows a register by
 * name. A dense index (0 .. DWUNW_MAX_REGS-1) exists for every register that CFI of
 * this architecture uses as a base or saves: callee-saved ones, sp, fp, and the few scratch registers that
 * compilers use as CFA base. Immutable; safe from any thread.
 */
#ifndef ARCH_H
#define ARCH_H

#include <stddef.h>
#include <stdint.h>

struct dwunw_step_arch;

/*
 * What a signal handler returns to where no CFI describes it: its two instructions, and where above the stack pointer the kernel
 * has put the registers of the interrupted frame, which by the ABI stay where they are.
 */
struct arch_sigreturn {
	uint32_t code[2];
	uint16_t pc;	   /* bytes from sp */
	uint16_t regs[16]; /* by dense index */
};

struct arch {
	const char *name;  /* as in `uname -m`, but mipsel for mips of little endian */
	uint16_t machine;  /* ELF e_machine */
	uint8_t elf_class; /* ELFCLASS32 or ELFCLASS64 */
	uint8_t elf_data;  /* ELFDATA2LSB or ELFDATA2MSB */
	/* DWARF register number -> dense index; -1: not carried. */
	const int8_t *dense;
	size_t n_dense;
	unsigned int ra_column; /* DWARF number of the return address column that CIEs name */
	const struct dwunw_step_arch *step;
	/*
	 * The kernel's register set NT_PRSTATUS (PTRACE_GETREGSET) as words: how many it has, at which one the pc is, and where
	 * each dense register.
	 */
	uint8_t n_user_words;
	uint8_t user_pc;
	const uint8_t *user_regs;
	/*
	 * The register set (PTRACE_GETREGSET) whose second of two words says which bits of return addresses are signatures in
	 * that thread; 0: there is none, step->ra_mask holds for all.
	 */
	uint32_t ra_mask_set;
	const struct arch_sigreturn *sigreturns;
	size_t n_sigreturns;
	/* names of DWARF registers, as binutils' readelf prints them; NULL past the end */
	const char *const *reg_names;
	size_t n_reg_names;
};

/* The architecture of an ELF header's (e_machine, EI_CLASS, EI_DATA), or NULL. */
const struct arch *arch_find(uint16_t machine, uint8_t elf_class, uint8_t elf_data);

/* The architecture that this code runs on. */
const struct arch *arch_native(void);

/* Dense index of DWARF register `reg`, or -1. */
int arch_dense(const struct arch *arch, uint64_t reg);

#endif
