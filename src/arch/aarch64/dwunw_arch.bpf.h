/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* aarch64 for the BPF side: the registers at a probe, by dense index (dwunw_arch.h). */
#ifndef DWUNW_ARCH_BPF_H
#define DWUNW_ARCH_BPF_H

#include "dwunw_arch.h"

/* Signature bits of return addresses; user space may set what PTRACE_GETREGSET NT_ARM_PAC_MASK says before loading. */
const volatile __u64 dwunw_ra_mask = 0xff7f000000000000;

/* Bytes from uc_stack to the saved stack pointer in the frame of a signal: struct ucontext and struct sigcontext of arch/arm64/include/uapi/asm */
#define DWUNW_ARCH_SAVED_SP 416

/*
 * The thread pointer of `task`, which is running, with the registers `ctx`: as it was set by clone(2) or a system call, or when
 * another thread last ran; a later change by an instruction is not seen.
 */
#define DWUNW_ARCH_THREAD_POINTER(ctx, task) ((task)->thread.uw.tp_value)

static __always_inline void dwunw_arch_regs(const struct pt_regs *ctx, struct dwunw_registers *ret)
{
	ret->pc = ctx->pc;
	ret->regs[0] = ctx->regs[19];
	ret->regs[1] = ctx->regs[20];
	ret->regs[2] = ctx->regs[21];
	ret->regs[3] = ctx->regs[22];
	ret->regs[4] = ctx->regs[23];
	ret->regs[5] = ctx->regs[24];
	ret->regs[6] = ctx->regs[25];
	ret->regs[7] = ctx->regs[26];
	ret->regs[8] = ctx->regs[27];
	ret->regs[9] = ctx->regs[28];
	ret->regs[10] = ctx->regs[29];
	ret->regs[11] = ctx->regs[30];
	ret->regs[12] = ctx->sp;
	ret->regs[13] = ctx->regs[0];
	ret->regs[14] = ctx->regs[12];
	ret->regs[15] = ctx->regs[15];
	ret->valid = 0xffff;
}

/* pc, sp, fp and the link register alone, for the common walk */
static __always_inline void dwunw_arch_start(const struct pt_regs *ctx, struct dwunw_step_state *s)
{
	s->pc = ctx->pc;
	s->sp = ctx->sp;
	s->fp = ctx->regs[29];
	s->regs[11] = ctx->regs[30];
	s->valid = 1 << 11;
	s->ra_mask = dwunw_ra_mask;
}

static __always_inline __u64 dwunw_arch_pc(const struct pt_regs *ctx)
{
	return ctx->pc;
}

static __always_inline __u64 dwunw_arch_sp(const struct pt_regs *ctx)
{
	return ctx->sp;
}

#endif
