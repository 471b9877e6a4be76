/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What call frame information does not say of Go's runtime: where it changes stacks, and where a goroutine's begins.
 *
 * Go's linker describes functions by the size of their frames alone. Those that go on on another stack (a thread's, for C) set
 * the stack pointer without a word, but leave the frame pointer: it is that of their caller, whose frame is left with theirs. (Go keeps
 * frame pointers on x86_64.) Others are called by nobody: a goroutine's first function returns to goexit by an address that was put there,
 * and mcall never returns.
 * Source: Go 1.19, 1.21 and 1.23, src/runtime/asm_amd64.s, sys_linux_amd64.s; cmd/link/internal/ld/dwarf.go (writeframes).
 */
#ifndef CFI_GO_H
#define CFI_GO_H

#include <stddef.h>
#include <stdint.h>

#define CFI_GO_MAX 32

struct arch;
struct cfi_row;
struct elf_file;

enum go_way {
	GO_BY_FP, /* it is left by frame pointer */
	GO_ROOT,  /* nobody has called it */
	/*
	 * Up to Go 1.20, the return address of a callback's first function, by which the stack goes on to what called C: its first
	 * byte, where it has no frame yet. Return addresses are looked up by the byte before, and that is what this is about.
	 */
	GO_RESUMED,
};

struct go_function {
	uint64_t start, end; /* vaddrs */
	enum go_way way;
};

/* In no order; they may overlap. */
struct go_functions {
	struct go_function list[CFI_GO_MAX];
	uint64_t text_start, text_end; /* what Go's compiler and assembler made; C is beside it */
	size_t n; /* 0: no program of Go's linker, or stripped, or of an architecture whose runtime is not known */
};

/* -ENOMEM, or what is wrong with the symbol table; then there are none. */
int go_find_functions(struct elf_file *file, struct go_functions *ret);

/*
 * A row of .debug_frame of such a file, into *ret, with what Go's linker leaves out of it: a function of Go with a frame keeps the frame
 * pointer of its caller below the return address.
 */
void go_complete_row(const struct arch *arch, const struct go_functions *functions,
		     const struct cfi_row *row, struct cfi_row *ret);

/* The only row of such a function. */
void go_row(const struct arch *arch, const struct go_function *function, struct cfi_row *ret);

#endif
