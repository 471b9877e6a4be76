/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves, on any machine, what the descriptors of all architectures make of the frame step: return addresses in a link
 * register (the innermost frame's alone), signatures in return addresses, 32-bit addresses that wrap, frame pointers, which
 * registers outlive a call, a frame pointer that cannot be restored, a call through a null pointer, and that each descriptor's numbers agree with one another.
 */
#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <dwunw/step.h>
#include "arch/arch.h"
#include "cfi/cfi.h"
#include "table/table.h"
#include "../test.h"

#define STACK 0x7000
#define CODE 0x400000

/* Memory of the target: words from STACK on, whatever their size. */
struct dwunw_reader {
	unsigned int word_size;
	uint64_t words[16];
};

static struct dwunw_reader memory;
static struct dwunw_step_state state;
static struct cfi_row row;
static __u64 cfa;

static inline int dwunw_read_word(struct dwunw_reader *reader, __u64 addr, __u64 *ret)
{
	uint64_t i = (addr - STACK) / reader->word_size;

	if (addr < STACK || i >= 16)
		return -EFAULT;
	*ret = reader->words[i];
	return 0;
}

static const struct arch *find(uint16_t machine)
{
	return arch_find(machine, machine == EM_MIPS ? ELFCLASS32 : ELFCLASS64, ELFDATA2LSB);
}

/* The innermost frame; its CFA is sp + off, and of its registers every one is known. */
static void begin(const struct arch *arch, int64_t off)
{
	const struct dwunw_step_arch *step = arch->step;
	unsigned int sp = 0;

	while (arch_dense(arch, sp) != step->sp)
		sp++;
	row = (struct cfi_row){
		.cfa = {.kind = CFI_REGISTER, .reg = sp, .off = off},
		.n_regs = arch->ra_column + 1,
		.ra_column = arch->ra_column,
	};
	memset(&memory, 0, sizeof(memory));
	memory.word_size = step->word_size;
	state = (struct dwunw_step_state){
		.pc = CODE, .sp = STACK, .pc_exact = 1, .valid = 0xffff, .ra_mask = step->ra_mask};
	for (unsigned int i = 0; i < DWUNW_MAX_REGS; i++)
		state.regs[i] = 1000 + i;
}

static int step(const struct arch *arch, bool full)
{
	struct dwunw_rule rule;

	rule_from_row(arch, &row, &rule);
	return dwunw_step(&state, arch->step, &memory, &rule.frame, full ? &rule : NULL, &cfa);
}

/* A leaf function, then one that says so too although it has made a call. */
static void test_link_register(const struct arch *arch)
{
	unsigned int link = arch->step->link;

	CHECK(arch->step->return_size == 0);
	CHECK(arch_dense(arch, arch->ra_column) == (int)link);
	CHECK(!(arch->step->callee_saved >> link & 1));
	for (int full = 0; full < 2; full++) {
		begin(arch, 0);
		state.regs[link] = CODE + 0x100;
		if (!full)
			state.valid = 1u << link;
		CHECK(step(arch, full) == DWUNW_CONTINUE);
		CHECK(state.pc == CODE + 0x100 && state.sp == STACK && !state.pc_exact);
		CHECK(step(arch, full) == DWUNW_STOP_REGISTER);
	}
}

/* The caller of a frame that saved its link register does not have its own return address in it. */
static void test_saved_link_register(const struct arch *arch)
{
	unsigned int link = arch->step->link, word = arch->step->word_size;

	for (int full = 0; full < 2; full++) {
		begin(arch, 4 * word);
		row.regs[arch->ra_column] =
			(struct cfi_rule){.kind = CFI_OFFSET, .off = -(int)word};
		memory.words[3] = CODE + 0x200;
		CHECK(step(arch, full) == DWUNW_CONTINUE);
		CHECK(cfa == STACK + 4 * word && state.sp == cfa && state.pc == CODE + 0x200);
		if (full)
			CHECK(!(state.valid >> link & 1));
		row.regs[arch->ra_column].kind = CFI_UNSPECIFIED;
		CHECK(step(arch, full) == DWUNW_STOP_REGISTER);
	}
	/* but a signal handler's frame has the interrupted function's link register apart from its pc */
	begin(arch, 4 * word);
	row.signal_frame = true;
	row.ra_column = 64;
	row.n_regs = 65;
	row.regs[64] = (struct cfi_rule){.kind = CFI_OFFSET, .off = -(int)word};
	row.regs[arch->ra_column] = (struct cfi_rule){.kind = CFI_OFFSET, .off = -2 * (int)word};
	memory.words[3] = CODE + 0x300;
	memory.words[2] = CODE + 0x400;
	CHECK(step(arch, true) == DWUNW_CONTINUE);
	CHECK(state.pc == CODE + 0x300 && state.pc_exact);
	CHECK((state.valid >> link & 1) && state.regs[link] == CODE + 0x400);
	memset(&row, 0, sizeof(row));
	begin(arch, 0);
}

static void test_callee_saved(const struct arch *arch)
{
	const struct dwunw_step_arch *step_arch = arch->step;
	uint32_t expected = step_arch->callee_saved;

	begin(arch, 2 * step_arch->word_size);
	row.regs[arch->ra_column] =
		(struct cfi_rule){.kind = CFI_OFFSET, .off = -step_arch->word_size};
	if (arch->ra_column >= row.n_regs)
		row.n_regs = arch->ra_column + 1;
	memory.words[1] = CODE + 8;
	CHECK(step(arch, true) == DWUNW_CONTINUE);
	CHECK(state.valid == expected);
	CHECK((expected >> step_arch->sp & 1) && (expected >> step_arch->fp & 1));
}

static void test_signed_address(void)
{
	const struct arch *arch = find(EM_AARCH64);
	const uint64_t signature = 0x1a3b000000000000;

	begin(arch, 16);
	row.regs[30] = (struct cfi_rule){.kind = CFI_OFFSET, .off = -8};
	memory.words[1] = signature | (CODE + 0x500);
	CHECK(step(arch, false) == DWUNW_CONTINUE && state.pc == CODE + 0x500);

	/* in the link register: between paciasp and the store */
	begin(arch, 16);
	state.regs[arch->step->link] = signature | (CODE + 0x600);
	CHECK(step(arch, true) == DWUNW_CONTINUE && state.pc == CODE + 0x600);

	/* a mask that the kernel reported: 39-bit addresses, tags off */
	begin(arch, 16);
	state.ra_mask = 0x007fff8000000000;
	row.regs[30] = (struct cfi_rule){.kind = CFI_OFFSET, .off = -8};
	memory.words[1] = 0x0055aa8000000000 | CODE;
	CHECK(step(arch, true) == DWUNW_CONTINUE && state.pc == CODE);

	/* a signed null is a null */
	begin(arch, 16);
	row.regs[30] = (struct cfi_rule){.kind = CFI_OFFSET, .off = -8};
	memory.words[1] = signature;
	CHECK(step(arch, false) == DWUNW_STOP_ROOT);
	CHECK(find(EM_RISCV)->step->ra_mask == 0 && find(EM_MIPS)->step->ra_mask == 0);
}

/* Addresses of 32 bits go on at 0 behind their end. */
static void test_wrap(void)
{
	const struct arch *arch = find(EM_MIPS);

	begin(arch, STACK + 16);
	state.sp = 0xfffffff0u;
	row.cfa.off = STACK + 32;
	row.regs[31] = (struct cfi_rule){.kind = CFI_OFFSET, .off = -4};
	memory.words[3] = CODE + 4;
	CHECK(step(arch, false) == DWUNW_CONTINUE && cfa == STACK + 16 && state.pc == CODE + 4);
}

static void test_frame_pointer(const struct arch *arch, int fp_to_cfa)
{
	const struct dwunw_step_arch *step_arch = arch->step;

	begin(arch, 0);
	state.fp = STACK + 64 - fp_to_cfa;
	memory.words[6] = STACK + 128;
	memory.words[7] = CODE + 0x700;
	CHECK(dwunw_fp_is_sane(&state, step_arch));
	CHECK(dwunw_step(&state, step_arch, &memory, &step_arch->fp_frame, NULL, &cfa) ==
	      DWUNW_CONTINUE);
	CHECK(cfa == STACK + 64 && state.pc == CODE + 0x700 && state.fp == STACK + 128);
}

/* The return address can be read, the frame pointer that was saved below it cannot: only who asks for it fails. */
static void test_lost_frame_pointer(const struct arch *arch)
{
	const struct dwunw_step_arch *step_arch = arch->step;
	unsigned int word = step_arch->word_size, fp = 0;

	while (arch_dense(arch, fp) != step_arch->fp)
		fp++;
	for (int full = 0; full < 2; full++) {
		begin(arch, 2 * word);
		row.n_regs = 64;
		row.regs[fp] = (struct cfi_rule){.kind = CFI_OFFSET, .off = -0x1000};
		row.regs[arch->ra_column] =
			(struct cfi_rule){.kind = CFI_OFFSET, .off = -(int)word};
		memory.words[1] = CODE + 0x100;
		memory.words[3] = CODE + 0x200;
		memory.words[4] = 0x1234;
		memory.words[5] = CODE + 0x300;
		CHECK(step(arch, full) == DWUNW_CONTINUE && state.pc == CODE + 0x100);
		CHECK(state.fp_lost == DWUNW_STOP_BAD_READ);
		/* a frame that leaves it alone */
		row.regs[fp].kind = CFI_UNSPECIFIED;
		CHECK(step(arch, full) == DWUNW_CONTINUE && state.pc == CODE + 0x200);
		CHECK(state.fp_lost == DWUNW_STOP_BAD_READ);
		/* one that needs it */
		row.cfa.reg = fp;
		CHECK(step(arch, full) == DWUNW_STOP_BAD_READ);
		/* one that has saved its own caller's where it can be read */
		begin(arch, 2 * word);
		state.sp = STACK + 4 * word;
		state.fp_lost = DWUNW_STOP_BAD_READ;
		row.n_regs = 64;
		row.regs[fp] = (struct cfi_rule){.kind = CFI_OFFSET, .off = -2 * (int)word};
		row.regs[arch->ra_column] =
			(struct cfi_rule){.kind = CFI_OFFSET, .off = -(int)word};
		memory.words[4] = 0x1234;
		memory.words[5] = CODE + 0x300;
		CHECK(step(arch, full) == DWUNW_CONTINUE && state.pc == CODE + 0x300);
		CHECK(state.fp == 0x1234 && state.fp_lost == 0);
	}
}

/* What a signal interrupted may be at address 0, and then is as its call left it; any other frame there is a root. */
static void test_null_call(const struct arch *arch)
{
	const struct dwunw_step_arch *step_arch = arch->step;
	unsigned int word = step_arch->word_size, link = step_arch->link;
	struct dwunw_frame_rule rule = dwunw_null_call_rule(step_arch);

	for (int signal = 0; signal < 2; signal++) {
		begin(arch, 4 * word);
		row.signal_frame = signal;
		row.ra_column = 64;
		row.n_regs = 65;
		row.regs[64] = (struct cfi_rule){.kind = CFI_OFFSET, .off = -(int)word};
		CHECK(step(arch, true) == (signal ? DWUNW_CONTINUE : DWUNW_STOP_ROOT));
	}
	CHECK(dwunw_is_null_call(&state) && state.sp == STACK + 4 * word);
	state.fp = 0x1234;
	state.regs[link] = CODE + 0x400;
	state.valid = 1u << link;
	memory.words[4] = CODE + 0x400;
	CHECK(dwunw_step(&state, step_arch, &memory, &rule, NULL, &cfa) == DWUNW_CONTINUE);
	CHECK(state.pc == CODE + 0x400 && !state.pc_exact && state.fp == 0x1234);
	CHECK(state.sp == STACK + 4 * word + step_arch->return_size);
	state.pc = 0;
	CHECK(!dwunw_is_null_call(&state));
}

/* Every dense index has one register, and the kernel's register set has a place for each. */
static void test_numbers(const struct arch *arch)
{
	uint32_t seen = 0;
	bool once = true;

	for (size_t i = 0; i < arch->n_dense; i++) {
		if (arch->dense[i] < 0)
			continue;
		once &= !(seen >> arch->dense[i] & 1);
		seen |= 1u << arch->dense[i];
	}
	CHECK(once && seen == 0xffff);
	for (unsigned int i = 0, user = 0; i < DWUNW_MAX_REGS; i++) {
		CHECK(arch->user_regs[i] < arch->n_user_words &&
		      arch->user_regs[i] != arch->user_pc);
		for (user = 0; user < i; user++)
			CHECK(arch->user_regs[i] != arch->user_regs[user]);
	}
	CHECK(arch_dense(arch, 1000) == -1);
}

int main(void)
{
	const struct arch *x86_64 = find(EM_X86_64), *aarch64 = find(EM_AARCH64),
			  *riscv64 = find(EM_RISCV), *mips32 = find(EM_MIPS);
	const struct arch *all[] = {x86_64, aarch64, riscv64, mips32};

	for (size_t i = 0; i < 4; i++) {
		test_numbers(all[i]);
		test_callee_saved(all[i]);
		test_lost_frame_pointer(all[i]);
		test_null_call(all[i]);
		if (all[i] == x86_64)
			continue;
		test_link_register(all[i]);
		test_saved_link_register(all[i]);
	}
	test_signed_address();
	test_wrap();
	test_frame_pointer(x86_64, 16);
	test_frame_pointer(aarch64, 16);
	test_frame_pointer(riscv64, 0);
	begin(mips32, 0);
	CHECK(dwunw_step(&state, mips32->step, &memory, &mips32->step->fp_frame, NULL, &cfa) ==
	      DWUNW_STOP_NO_CFI);
	return test_end();
}
