// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The BPF side of the smallest example: one event, with its stack's id, for each hit of a uprobe. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <dwunw/dwunw.bpf.h>
#include "memleak.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

__u64 lost SEC(".data.lost"); /* hits for which the ring buffer had no room; read by memleak_user */

SEC("uprobe")
int on_hit(struct pt_regs *ctx)
{
	struct hit hit = {.type = HIT_EVENT};

	hit.stack_id = dwunw_get_stackid(ctx, 0);
	hit.pid = bpf_get_current_pid_tgid() >> 32;
	hit.pc = PT_REGS_IP(ctx);
	bpf_get_current_comm(hit.comm, sizeof(hit.comm));
	if (bpf_ringbuf_output(&dwunw_events, &hit, sizeof(hit), 0))
		__sync_fetch_and_add(&lost, 1);
	return 0;
}
