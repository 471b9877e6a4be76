/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the accounting, in every mode, must know of return probes. The facts are in libdwunw's headers; no stack is walked here,
 * and nothing of this is loaded that walks one: these lines are not part of what integrating the library takes.
 */
#ifndef RETURN_PROBE_BPF_H
#define RETURN_PROBE_BPF_H

#include <dwunw/uretprobe.bpf.h>
#include <dwunw_arch.h>

/* Bytes that a call pushes; 0: the return address is in a register. */
#define RETURN_SIZE DWUNW_ARCH_NATIVE.return_size

/* What stands in for the return address of a probed call; 0: the process has no return probe. */
static __always_inline __u64 return_trampoline(void)
{
	return dwunw_trampoline();
}

#endif
