// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A stack for each hit, and nothing else. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <dwunw/dwunw.bpf.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

__s64 last_id;

SEC("uprobe")
int on_hit(struct pt_regs *ctx)
{
	last_id = dwunw_get_stackid(ctx, DWUNW_F_ENTRY | 1);
	return 0;
}
