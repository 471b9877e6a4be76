/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* riscv64 for the BPF side: the registers at a probe, by dense index (dwunw_arch.h). */
#ifndef DWUNW_ARCH_BPF_H
#define DWUNW_ARCH_BPF_H

#include "dwunw_arch.h"

/* Bytes from uc_stack to the saved stack pointer in the frame of a signal: struct ucontext and struct sigcontext of arch/riscv/include/uapi/asm */
#define DWUNW_ARCH_SAVED_SP 176

/*
 * The thread pointer of `task`, which is running, with the registers `ctx`.
 */
#define DWUNW_ARCH_THREAD_POINTER(ctx, task) ((ctx)->tp)

static __always_inline void dwunw_arch_regs(const struct pt_regs *ctx, struct dwunw_registers *ret)
{
	ret->pc = ctx->epc;
	ret->regs[0] = ctx->s0;
	ret->regs[1] = ctx->s1;
	ret->regs[2] = ctx->s2;
	ret->regs[3] = ctx->s3;
	ret->regs[4] = ctx->s4;
	ret->regs[5] = ctx->s5;
	ret->regs[6] = ctx->s6;
	ret->regs[7] = ctx->s7;
	ret->regs[8] = ctx->s8;
	ret->regs[9] = ctx->s9;
	ret->regs[10] = ctx->s10;
	ret->regs[11] = ctx->s11;
	ret->regs[12] = ctx->ra;
	ret->regs[13] = ctx->sp;
	ret->regs[14] = ctx->t0;
	ret->regs[15] = ctx->t1;
	ret->valid = 0xffff;
}

/* pc, sp, fp and the link register alone, for the common walk */
static __always_inline void dwunw_arch_start(const struct pt_regs *ctx, struct dwunw_step_state *s)
{
	s->pc = ctx->epc;
	s->sp = ctx->sp;
	s->fp = ctx->s0;
	s->regs[12] = ctx->ra;
	s->valid = 1 << 12;
}

static __always_inline __u64 dwunw_arch_pc(const struct pt_regs *ctx)
{
	return ctx->epc;
}

static __always_inline __u64 dwunw_arch_sp(const struct pt_regs *ctx)
{
	return ctx->sp;
}

#endif
