/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Arguments of a call that are, at the probe's place, in other registers than at the entry: placement.h. */
#ifndef MOVED_ARGUMENTS_BPF_H
#define MOVED_ARGUMENTS_BPF_H

#include <dwunw/event_format.h>
#include "dwunw_arch.bpf.h"

/* A function of its own: its registers would not fit on the BPF stack below a probe's other calls. */
static __noinline int copy_moved_arguments(struct pt_regs *ctx, __u64 cookie, __u64 *args)
{
	struct dwunw_registers registers;

	dwunw_arch_regs(ctx, &registers);
	for (int i = 0; i < MEMLEAK_COOKIE_ARGS; i++) {
		__u32 place = cookie >> (MEMLEAK_COOKIE_ARGS_SHIFT + 8 * i) & 0xff;

		if (place)
			args[i] = registers.regs[(place - 1) & (DWUNW_MAX_REGS - 1)];
	}
	return 0;
}

/* Replaces those of `args` (MEMLEAK_COOKIE_ARGS) that the cookie says are elsewhere. */
static __always_inline void find_moved_arguments(struct pt_regs *ctx, __u64 cookie, __u64 *args)
{
	if (cookie >> MEMLEAK_COOKIE_ARGS_SHIFT)
		copy_moved_arguments(ctx, cookie, args);
}

#endif
