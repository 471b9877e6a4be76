/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* x86_64 for the BPF side: the registers at a probe, by dense index (dwunw_arch.h). */
#ifndef DWUNW_ARCH_BPF_H
#define DWUNW_ARCH_BPF_H

#include "dwunw_arch.h"

/*
 * Bytes from uc_stack to the saved stack pointer in the frame of a signal: struct ucontext of asm-generic/ucontext.h, struct sigcontext_64 of
 * arch/x86/include/uapi/asm/sigcontext.h
 */
#define DWUNW_ARCH_SAVED_SP 144

/*
 * The thread pointer of `task`, which is running, with the registers `ctx`: as it was set by clone(2) or a system call, or when
 * another thread last ran; a later change by an instruction is not seen.
 */
#define DWUNW_ARCH_THREAD_POINTER(ctx, task) ((task)->thread.fsbase)

static __always_inline void dwunw_arch_regs(const struct pt_regs *ctx, struct dwunw_registers *ret)
{
	ret->pc = ctx->ip;
	ret->regs[0] = ctx->ax;
	ret->regs[1] = ctx->dx;
	ret->regs[2] = ctx->cx;
	ret->regs[3] = ctx->bx;
	ret->regs[4] = ctx->si;
	ret->regs[5] = ctx->di;
	ret->regs[6] = ctx->bp;
	ret->regs[7] = ctx->sp;
	ret->regs[8] = ctx->r8;
	ret->regs[9] = ctx->r9;
	ret->regs[10] = ctx->r10;
	ret->regs[11] = ctx->r11;
	ret->regs[12] = ctx->r12;
	ret->regs[13] = ctx->r13;
	ret->regs[14] = ctx->r14;
	ret->regs[15] = ctx->r15;
	ret->valid = 0xffff;
}

/* pc, sp and fp alone, for the common walk */
static __always_inline void dwunw_arch_start(const struct pt_regs *ctx, struct dwunw_step_state *s)
{
	s->pc = ctx->ip;
	s->sp = ctx->sp;
	s->fp = ctx->bp;
}

static __always_inline __u64 dwunw_arch_pc(const struct pt_regs *ctx)
{
	return ctx->ip;
}

static __always_inline __u64 dwunw_arch_sp(const struct pt_regs *ctx)
{
	return ctx->sp;
}

#endif
