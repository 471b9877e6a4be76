/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a probe on a conditional jump before a return (gates.h) knows, by its cookie. */
#ifndef GATE_BPF_H
#define GATE_BPF_H

#include <dwunw/event_format.h>
#include "dwunw_arch.bpf.h"
#include "dwunw_condition.h"
#include "memleak_dwunw_events.h"
#include "return_probe.bpf.h"

/* Whether the jump goes the way that leads to the return. */
static __always_inline bool gate_is_passed(const struct pt_regs *ctx, __u64 cookie)
{
	return dwunw_condition_holds(cookie >> MEMLEAK_COOKIE_CONDITION_SHIFT,
				     DWUNW_CONDITION_FLAGS(ctx));
}

/* The stack pointer once the function has returned. */
static __always_inline __u64 gate_cfa(struct pt_regs *ctx, __u64 cookie)
{
	return PT_REGS_SP(ctx) + (__u16)(cookie >> MEMLEAK_COOKIE_BELOW_SHIFT) + RETURN_SIZE;
}

/* What the function will return. A function of its own: its registers would not fit on the BPF stack below a probe's other calls. */
static __noinline __u64 gate_result(struct pt_regs *ctx, __u64 cookie)
{
	__u32 holder = cookie >> MEMLEAK_COOKIE_HOLDER_SHIFT & 0xff;
	struct dwunw_registers registers;

	dwunw_arch_regs(ctx, &registers);
	return registers.regs[holder & (DWUNW_MAX_REGS - 1)];
}

#endif
