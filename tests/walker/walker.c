/* SPDX-License-Identifier: BSD-2-Clause */
/* include/dwunw/walk.bpf.h compiled for user space, and the helpers that it calls. */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

const volatile __u32 dwunw_details = 1; /* stack pointers are compared too */

#include <dwunw/walk.bpf.h>

#include "fake_bpf.h"
#include "walker.h"

static const struct walker_input *current;
static struct task_struct current_task;

void *bpf_map_lookup_elem(void *map, const void *key)
{
	__u32 index;

	__builtin_memcpy(&index, key, sizeof(index));
	if (map == &dwunw_shards)
		return fake_shard(index);
	return index == 0 ? fake_shard_bytes(map) : 0;
}

long bpf_probe_read_user(void *to, __u32 size, const void *from)
{
	__u64 off = (__u64)from - current->memory_start;

	if (off >= current->memory_size || current->memory_size - off < size) {
		__builtin_memset(to, 0, size);
		return -14; /* EFAULT */
	}
	__builtin_memcpy(to, current->memory + off, size);
	return 0;
}

long bpf_probe_read_kernel(void *to, __u32 size, const void *from)
{
	__builtin_memcpy(to, from, size);
	return 0;
}

struct task_struct *bpf_get_current_task(void)
{
	return &current_task;
}

struct task_struct *bpf_get_current_task_btf(void)
{
	return &current_task;
}

static void walk_full(struct pt_regs *ctx, struct dwunw_slot *slot)
{
	struct dwunw_walk walk = {slot, current->mappings, 0, 0, 0};

	slot->in_window = 0;
	slot->trampoline = 1;
	dwunw_walk_with_all(ctx, slot, &walk, current->mappings->process);
}

static void walk_common(struct pt_regs *ctx, struct dwunw_slot *slot, bool with_memo)
{
	const struct dwunw_mappings *mappings = current->mappings;
	struct dwunw_walk walk = {
		.slot = slot,
		.mappings = mappings,
		.epoch = slot->stale ? mappings->permanent_epoch : mappings->epoch,
		.seed = dwunw_seed(slot, mappings->process),
	};
	int result;

	slot->arrived = 0;
	result = dwunw_walk_by_memo(ctx, &walk, with_memo ? current->memo : 0);
	if (result != DWUNW_MEMO_KNOWN)
		dwunw_walk_stack(ctx, &walk, mappings->process, result);
}

void walker_walk(const struct walker_input *input, enum walker_how how, struct dwunw_slot *slot)
{
	struct return_instance instances[DWUNW_MAX_RETURNS];
	struct uprobe_task utask = {0};
	struct xol_area area = {input->trampoline};
	struct mm_struct mm = {.uprobes_state = {&area}};
	struct pt_regs ctx;

	for (size_t i = 0; i < input->n_returns && i < DWUNW_MAX_RETURNS; i++) {
		instances[i].stack = input->returns[i].slot;
		instances[i].orig_ret_vaddr = input->returns[i].address;
		instances[i].next = i + 1 < input->n_returns && i + 1 < DWUNW_MAX_RETURNS
					    ? &instances[i + 1]
					    : 0;
		utask.return_instances = instances;
	}
	__builtin_memset(&ctx, 0, sizeof(ctx));
	__builtin_memcpy(&ctx, input->registers,
			 input->registers_size < sizeof(ctx) ? input->registers_size : sizeof(ctx));
	current_task.mm = &mm;
	current_task.utask = &utask;
	current = input;
	if (how == WALKER_FULL)
		walk_full(&ctx, slot);
	else if (how == WALKER_TRY_FP)
		dwunw_try_fp(&ctx, slot, input->mappings, input->mappings->process);
	else
		walk_common(&ctx, slot, how == WALKER_MEMO);
	current_task.mm = 0;
	current_task.utask = 0;
}
