/* SPDX-License-Identifier: BSD-2-Clause */
/* The registers of a signal handler's context, or of getcontext(), as words of the kernel's register set (arch.h). */
#ifndef LIVE_REGS_H
#define LIVE_REGS_H

#include <stdint.h>
#include <ucontext.h>

static uint64_t live_word(const ucontext_t *context, unsigned int word)
{
	const mcontext_t *machine = &context->uc_mcontext;

#if defined(__aarch64__)
	return word == 32 ? machine->pc : word == 31 ? machine->sp : machine->regs[word];
#elif defined(__riscv)
	return machine->__gregs[word];
#elif defined(__mips__)
	return (uint32_t)(word == 40 ? machine->pc : machine->gregs[word - 6]);
#elif defined(__x86_64__)
	/* struct user_regs_struct: r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp */
	static const int8_t gregs[] = {REG_R15, REG_R14, REG_R13, REG_R12, REG_RBP,
				       REG_RBX, REG_R11, REG_R10, REG_R9,  REG_R8,
				       REG_RAX, REG_RCX, REG_RDX, REG_RSI, REG_RDI,
				       -1,	REG_RIP, -1,	  -1,	   REG_RSP};

	return machine->gregs[gregs[word]];
#endif
}

#endif
