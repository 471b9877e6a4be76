/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stands in for libbpf's header where the BPF side is compiled as a user program: the same names, over the maps and the memory
 * of tests/walker. Only what include/dwunw/walk.bpf.h needs.
 */
#ifndef WALKER_BPF_HELPERS_H
#define WALKER_BPF_HELPERS_H

#define SEC(name)
#define __uint(name, val) int(*name)[val]
#define __type(name, val) typeof(val) *name
#define __array(name, val) typeof(val) *name[]
#undef __always_inline /* of linux/stddef.h */
#define __always_inline inline __attribute__((always_inline))
#define __noinline __attribute__((noinline))
#define barrier() __asm__ volatile("" ::: "memory")
#define barrier_var(var) __asm__ volatile("" : "+r"(var))

/* not libbpf's, which the program has too */
#define bpf_map_lookup_elem walker_map_lookup_elem
void *bpf_map_lookup_elem(void *map, const void *key);
/* 0, or the destination is zeroed: kernel/trace/bpf_trace.c, bpf_probe_read_user_common() */
long bpf_probe_read_user(void *to, __u32 size, const void *from);
long bpf_probe_read_kernel(void *to, __u32 size, const void *from);
struct task_struct *bpf_get_current_task(void);
struct task_struct *bpf_get_current_task_btf(void);
/* a thread's memo is given by the test */
#define bpf_task_storage_get(map, task, value, flags) ((void *)0)

static inline long bpf_loop(__u32 n, void *function, void *arg, __u64 flags)
{
	long (*callback)(__u32, void *) = function;
	__u32 i = 0;

	if (flags)
		return -22; /* EINVAL */
	while (i < n && callback(i++, arg) == 0)
		;
	return i;
}

#endif
