/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel types that the BPF programs of this repository read, by hand, so that a build needs no kernel BTF. Only the names
 * matter: libbpf relocates every access to the running kernel (CO-RE). Enumerators and flags of the BPF system call
 * come from the kernel's user-space header. A tool may use a vmlinux.h made by bpftool instead.
 */
#ifndef __VMLINUX_H__ /* the guard that libbpf headers look for */
#define __VMLINUX_H__

#include <linux/bpf.h>

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef _Bool bool;
enum { false = 0, true = 1 };

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8;
	unsigned long ax, cx, dx, si, di, orig_ax, ip, cs, flags, sp, ss;
};
/* of a task: its thread pointer */
struct thread_struct {
	unsigned long fsbase;
};
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
	u64 regs[31];
	u64 sp, pc, pstate;
};
struct thread_struct {
	struct {
		unsigned long tp_value;
	} uw;
};
/* what libbpf's PT_REGS_*() look into */
struct user_pt_regs {
	u64 regs[31];
	u64 sp, pc, pstate;
};
#elif defined(__TARGET_ARCH_riscv)
struct pt_regs {
	unsigned long epc, ra, sp, gp, tp, t0, t1, t2, s0, s1;
	unsigned long a0, a1, a2, a3, a4, a5, a6, a7;
	unsigned long s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, t3, t4, t5, t6;
};
struct thread_struct {
	unsigned long sp;
};
/* what libbpf's PT_REGS_*() look into */
struct user_regs_struct {
	unsigned long pc, ra, sp, gp, tp, t0, t1, t2, s0, s1;
	unsigned long a0, a1, a2, a3, a4, a5, a6, a7;
	unsigned long s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, t3, t4, t5, t6;
};
#endif

/* a pending uretprobe: include/linux/uprobes.h */
struct return_instance {
	unsigned long stack;
	unsigned long orig_ret_vaddr;
	struct return_instance *next;
};

struct uprobe_task {
	struct return_instance *return_instances;
};

/* kernel/events/uprobes.c: the [uprobes] page; uretprobe trampolines return to its start */
struct xol_area {
	unsigned long vaddr;
};

struct uprobes_state {
	struct xol_area *xol_area;
};

struct mm_struct {
	struct uprobes_state uprobes_state;
	unsigned long start_stack; /* of the first thread: what lies on it at its start */
};

struct pid_namespace {
	struct {
		unsigned int inum;
	} ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

/* a cache of the slab allocator: what an object takes, in bytes */
struct kmem_cache {
	unsigned int size;
};

struct task_struct {
	int pid;
	int tgid;
	struct task_struct *group_leader;
	struct mm_struct *mm;
	struct pid *thread_pid;
	struct uprobe_task *utask;
	unsigned long sas_ss_sp; /* the alternate signal stack */
	unsigned long sas_ss_size;
	u64 self_exec_id;
	struct thread_struct thread;
};

#pragma clang attribute pop

#endif
