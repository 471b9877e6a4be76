/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/probe_multi.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

/* BPF_TRACE_UPROBE_SESSION of Linux 6.13 (d920179b3d48), which neither our libbpf nor its headers need know */
#define ATTACH_SESSION ((enum bpf_attach_type)57)

__attribute__((noinline)) static void probed_function(void)
{
	__asm__ volatile("");
}

static void *call_probed_function(void *arg)
{
	probed_function();
	return arg;
}

/* counter += 1, in the instructions of Documentation/bpf/standardization: element 0 of an array map */
static int load_counter(int map_fd, enum bpf_attach_type type)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = type);
	const struct bpf_insn insns[] = {
		/* r1 = &counter, by BPF_PSEUDO_MAP_VALUE: the value of the map's first element */
		{.code = BPF_LD | BPF_DW | BPF_IMM,
		 .dst_reg = BPF_REG_1,
		 .src_reg = BPF_PSEUDO_MAP_VALUE,
		 .imm = map_fd},
		{.code = 0},
		/* *r1 += 1 */
		{.code = BPF_LDX | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_2, .src_reg = BPF_REG_1},
		{.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_2, .imm = 1},
		{.code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_2},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
		{.code = BPF_JMP | BPF_EXIT},
	};

	return bpf_prog_load(BPF_PROG_TYPE_KPROBE, "probe_multi", "GPL", insns,
			     sizeof(insns) / sizeof(insns[0]), &opts);
}

/* The file and the offset in it that `address` of this process is mapped from. */
static int locate(uintptr_t address, char *path, unsigned long *offset)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[4352];
	int err = -1;

	if (!maps)
		return -1;
	while (err && fgets(line, sizeof(line), maps)) {
		uint64_t start, end, file_off;

		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %*s %*s %4095[^\n]",
			   &start, &end, &file_off, path) != 4 ||
		    address < start || address >= end)
			continue;
		*offset = address - start + file_off;
		err = 0;
	}
	fclose(maps);
	return err;
}

static int attach(int prog_fd)
{
	char path[4096];
	unsigned long offset;
	LIBBPF_OPTS(bpf_link_create_opts, opts);

	if (locate((uintptr_t)probed_function, path, &offset))
		return -1;
	opts.uprobe_multi.path = path;
	opts.uprobe_multi.offsets = &offset;
	opts.uprobe_multi.cnt = 1;
	opts.uprobe_multi.pid = (__u32)getpid();
	return bpf_link_create(prog_fd, 0, BPF_TRACE_UPROBE_MULTI, &opts);
}

static bool second_thread_is_seen(int map_fd)
{
	pthread_t thread;
	__u64 hits = 0;
	__u32 zero = 0;

	if (pthread_create(&thread, NULL, call_probed_function, NULL))
		return false;
	pthread_join(thread, NULL);
	return bpf_map_lookup_elem(map_fd, &zero, &hits) == 0 && hits == 1;
}

/*
 * Attaches to what is no file: -EBADF where sessions are known, -EINVAL elsewhere. They are younger than the fix. To attach and
 * detach takes 40 ms, most of it waiting for RCU; this takes none.
 */
static bool has_sessions(int map_fd)
{
	const unsigned long offset = 0;
	union bpf_attr attr = {
		.link_create =
			{
				.attach_type = ATTACH_SESSION,
				.uprobe_multi =
					{
						.path = (uintptr_t) "/",
						.offsets = (uintptr_t)&offset,
						.cnt = 1,
					},
			},
	};
	int prog_fd = load_counter(map_fd, ATTACH_SESSION);
	long link_fd;
	int err;

	if (prog_fd < 0)
		return false;
	attr.link_create.prog_fd = (__u32)prog_fd;
	link_fd = syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
	err = errno;
	if (link_fd >= 0)
		close((int)link_fd);
	close(prog_fd);
	return link_fd < 0 && err == EBADF;
}

static bool sees_all_threads(int map_fd)
{
	int prog_fd = load_counter(map_fd, BPF_TRACE_UPROBE_MULTI);
	int link_fd = prog_fd < 0 ? -1 : attach(prog_fd);
	bool works = link_fd >= 0 && second_thread_is_seen(map_fd);

	if (link_fd >= 0)
		close(link_fd);
	if (prog_fd >= 0)
		close(prog_fd);
	return works;
}

static bool check(void)
{
	int map_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "probe_multi", sizeof(__u32), sizeof(__u64),
				    1, NULL);
	bool works;

	if (map_fd < 0)
		return false;
	works = has_sessions(map_fd) || sees_all_threads(map_fd);
	close(map_fd);
	return works;
}

bool probe_multi_works(void)
{
	static bool asked, works;

	if (!asked) {
		works = check();
		asked = true;
	}
	return works;
}
