// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Empty programs for the places of memleak's probes: what is left is what the traps cost. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("uprobe.multi")
int floor_enter(struct pt_regs *ctx)
{
	return 0;
}

SEC("uprobe.multi")
int floor_exit(struct pt_regs *ctx)
{
	return 0;
}

SEC("uprobe.multi")
int floor_free(struct pt_regs *ctx)
{
	return 0;
}
