/* SPDX-License-Identifier: BSD-2-Clause */
#include "session_kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "collect.h"
#include "kernel_arguments.h"
#include "kernel_symbols.h"
#include "memleak_kernel.skel.h"
#include "message.h"
#include "options.h"
#include "privileges.h"
#include "session_internal.h"

struct kernel {
	struct memleak_kernel_bpf *skel;
	struct kernel_probe {
		struct bpf_program *program; /* NULL: not traced */
		struct bpf_program *again;   /* frees: the second one */
		struct bpf_link *link, *again_link;
	} probes[MEMLEAK_N_TRACEPOINTS];
	struct bpf_link *bulk_link;
	struct kernel_symbols symbols;
	const struct sampling *sampling;
	struct collect_target everything;
	uint32_t tgid; /* of `everything`: blocks have none */
	uint64_t image;
	unsigned int max_depth;
	uint64_t told_counts[MEMLEAK_N_KERNEL_COUNTS];
	uint64_t told_missed;
};

static const struct {
	bool percpu, frees;
} tracepoints[] = {
#define TRACEPOINT(name, memory, frees) {(memory) == MEMLEAK_PERCPU, frees},
	MEMLEAK_TRACEPOINTS(TRACEPOINT)
#undef TRACEPOINT
};

/* "memleak_PREFIXkfree"; NULL: there is none. It is not loaded unless `wanted`. */
static struct bpf_program *find_program(const struct kernel *kernel, const char *prefix,
					unsigned int tracepoint, bool wanted)
{
	struct bpf_program *program;
	char name[64];

	snprintf(name, sizeof(name), "memleak_%s%s", prefix, kernel_tracepoint_name(tracepoint));
	program = bpf_object__find_program_by_name(kernel->skel->obj, name);
	if (program)
		bpf_program__set_autoload(program, wanted);
	return wanted ? program : NULL;
}

/* What is known of the arguments of one of the tracepoints; false: it is not traced, which is said where that matters. */
static bool choose_tracepoint(const struct btf *btf, unsigned int tracepoint,
			      const struct options *options, struct memleak_arguments *ret)
{
	const char *name = kernel_tracepoint_name(tracepoint);
	int n_cpus = libbpf_num_possible_cpus(), err;

	if (tracepoints[tracepoint].percpu && !options->percpu)
		return false;
	err = kernel_arguments_find(btf, tracepoint, (unsigned int)sysconf(_SC_PAGESIZE),
				    n_cpus > 0 ? (unsigned int)n_cpus : 1, ret);
	if (err == -EINVAL)
		message("not traced: the arguments of this kernel's %s are unknown", name);
	else if (err && (options->verbose || tracepoints[tracepoint].percpu))
		message("not traced: this kernel has no %s", name);
	return !err;
}

/* Those that this kernel has, with their arguments. */
static int choose_tracepoints(struct kernel *kernel, const struct options *options)
{
	struct btf *btf = btf__load_vmlinux_btf();
	unsigned int n = 0;

	if (!btf) {
		message("this kernel lacks type information (/sys/kernel/btf/vmlinux), which says "
			"where its tracepoints have their arguments");
		return -ENOTSUP;
	}
	for (unsigned int i = 0; i < MEMLEAK_N_TRACEPOINTS; i++) {
		struct memleak_arguments arguments;
		bool wanted = choose_tracepoint(btf, i, options, &arguments);

		kernel->probes[i].program = find_program(kernel, "", i, wanted);
		kernel->probes[i].again = find_program(kernel, "again_", i, wanted);
		if (!wanted)
			continue;
		memcpy((void *)&kernel->skel->rodata->arguments[i], &arguments, sizeof(arguments));
		n += !tracepoints[i].frees;
	}
	btf__free(btf);
	if (n == 0)
		message("this kernel has none of the tracepoints of allocators");
	return n ? 0 : -ENOTSUP;
}

static int configure(struct kernel *kernel, struct options *options,
		     const struct sampling *sampling)
{
	struct memleak_kernel_bpf *skel = kernel->skel;
	int err;

	skel->rodata->min_size = options->min_size;
	skel->rodata->max_size = options->max_size;
	skel->rodata->sampling_mode = sampling->mode;
	skel->bss->sampling_setting = sampling_setting(sampling, (struct sampling_step){0});
	skel->rodata->missing_free = options->missing_free;
	skel->rodata->one_cgroup = options->cgroup != NULL;
	skel->rodata->combined_only = options->combined_only;
	skel->rodata->trace_all = options->trace;
	bpf_map__set_autocreate(skel->maps.memleak_trace, options->trace);
	bpf_map__set_autocreate(skel->maps.combined, options->combined_only);
	bpf_map__set_map_flags(skel->maps.combined, 0); /* the probes must not allocate */
	bpf_map__set_max_entries(skel->maps.combined, options->stack_storage_size);
	options->max_stack_depth = session_max_depth(options->max_stack_depth);
	kernel->max_depth = options->max_stack_depth;
	err = bpf_map__set_value_size(skel->maps.stack_traces,
				      options->max_stack_depth * sizeof(__u64));
	if (!err)
		err = bpf_map__set_max_entries(skel->maps.stack_traces,
					       options->stack_storage_size);
	return err ? err : bpf_map__set_max_entries(skel->maps.blocks, options->max_blocks);
}

static void explain(int err, const struct options *options)
{
	char missing[PRIVILEGES_TEXT];

	privileges_missing_for_bpf(missing, sizeof(missing));
	if (missing[0])
		message("not permitted to load BPF programs: missing %s", missing);
	else if (err == -ENOMEM || err == -E2BIG)
		message("no memory for the tables of blocks and stacks (--max-blocks, "
			"--stack-storage-size)");
	else
		message("the kernel refused the BPF programs: %s%s", strerror(-err),
			options->verbose ? "" : " (-v shows what it says)");
}

static int load(struct kernel *kernel, struct options *options, const struct sampling *sampling)
{
	LIBBPF_OPTS(bpf_test_run_opts, run);
	int err;

	session_show_libbpf(options->verbose);
	kernel->skel = memleak_kernel_bpf__open();
	if (!kernel->skel) {
		message("cannot open the BPF object: %s", strerror(errno));
		return -errno;
	}
	err = choose_tracepoints(kernel, options);
	if (err)
		return err;
	err = configure(kernel, options, sampling);
	if (!err)
		err = memleak_kernel_bpf__load(kernel->skel);
	if (!err)
		err = bpf_prog_test_run_opts(bpf_program__fd(kernel->skel->progs.memleak_self),
					     &run);
	if (err)
		explain(err, options);
	return err;
}

static int set_cgroup(const struct kernel *kernel, const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint32_t place = 0;
	int err;

	if (fd < 0) {
		err = -errno;
		message("--cgroup: cannot open %s: %s", path, strerror(errno));
		return err;
	}
	err = bpf_map_update_elem(bpf_map__fd(kernel->skel->maps.cgroups), &place, &fd, BPF_ANY);
	if (err)
		message("--cgroup: %s is not a directory of control groups, version 2", path);
	close(fd);
	return err;
}

/* -ENOENT: the kernel has no such tracepoint. */
static int attach_one(struct bpf_program *program, const char *name, struct bpf_link **ret)
{
	*ret = program ? bpf_program__attach(program) : NULL;
	if (!program || *ret)
		return 0;
	if (errno != ENOENT)
		message("cannot attach to %s: %s", name, strerror(errno));
	return -errno;
}

/* Frees that pass no tracepoint. Kernels may have no kprobes. */
static void attach_bulk(struct kernel *kernel, const struct options *options)
{
	kernel->bulk_link = bpf_program__attach_kprobe(kernel->skel->progs.memleak_free_bulk, false,
						       "kmem_cache_free_bulk");
	if (!kernel->bulk_link && options->verbose)
		message("frees in bulk are not seen: cannot attach to kmem_cache_free_bulk: %s",
			strerror(errno));
}

/* Frees first: no block is seen to begin whose end would be missed. */
static int attach(struct kernel *kernel, const struct options *options)
{
	unsigned int n = 0;

	attach_bulk(kernel, options);
	for (unsigned int i = 0; i < MEMLEAK_N_TRACEPOINTS; i++) {
		const char *name = kernel_tracepoint_name(i);
		struct kernel_probe *probe = &kernel->probes[i];
		int err = attach_one(probe->program, name, &probe->link);

		if (!err)
			err = attach_one(probe->again, name, &probe->again_link);
		if (err == -ENOENT && options->verbose)
			message("not traced: this kernel has no %s", name);
		if (err && err != -ENOENT)
			return err;
		n += probe->link && !tracepoints[i].frees;
	}
	if (n == 0)
		message("this kernel has none of the tracepoints of allocators");
	return n ? 0 : -ENOTSUP;
}

int kernel_start(struct options *options, const struct sampling *sampling, struct kernel **ret)
{
	struct kernel *kernel = calloc(1, sizeof(*kernel));
	int err;

	if (!kernel) {
		message("%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	kernel->sampling = sampling;
	err = load(kernel, options, sampling);
	if (!err && options->cgroup)
		err = set_cgroup(kernel, options->cgroup);
	if (!err)
		err = attach(kernel, options);
	if (err) {
		kernel_destroy(kernel);
		return err;
	}
	*ret = kernel;
	return 0;
}

void kernel_destroy(struct kernel *kernel)
{
	if (!kernel)
		return;
	for (unsigned int i = 0; i < MEMLEAK_N_TRACEPOINTS; i++) {
		bpf_link__destroy(kernel->probes[i].link);
		bpf_link__destroy(kernel->probes[i].again_link);
	}
	bpf_link__destroy(kernel->bulk_link);
	memleak_kernel_bpf__destroy(kernel->skel);
	kernel_symbols_free(&kernel->symbols);
	free(kernel);
}

int kernel_trace_fd(const struct kernel *kernel)
{
	return bpf_map__fd(kernel->skel->maps.memleak_trace);
}

void kernel_describe(struct kernel *kernel, struct collect_source *ret)
{
	kernel->everything = (struct collect_target){
		.tgid = &kernel->tgid,
		.image = &kernel->image,
	};
	*ret = (struct collect_source){
		.sampling = kernel->sampling,
		.blocks_fd = bpf_map__fd(kernel->skel->maps.blocks),
		.combined_fd = bpf_map__fd(kernel->skel->maps.combined),
		.combined_only = kernel->skel->rodata->combined_only,
		.stacks_fd = bpf_map__fd(kernel->skel->maps.stack_traces),
		.targets = &kernel->everything,
		.n_targets = 1,
		.max_depth = kernel->max_depth,
		.kernel_symbols = kernel_symbols_now(&kernel->symbols),
	};
}

/* A program does not run on a CPU that is in the middle of it (05b24ff9b2cf): the kernel counts how often. */
static uint64_t missed_allocations(const struct kernel *kernel)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < MEMLEAK_N_TRACEPOINTS; i++) {
		struct bpf_prog_info info = {};
		__u32 size = sizeof(info);
		int fd;

		if (tracepoints[i].frees || !kernel->probes[i].link)
			continue;
		fd = bpf_program__fd(kernel->probes[i].program);
		if (bpf_prog_get_info_by_fd(fd, &info, &size) == 0)
			n += info.recursion_misses;
	}
	return n;
}

void kernel_tell_counts(struct kernel *kernel)
{
	static const char *const texts[] = {
#define COUNT_TEXT(name, text) text,
		MEMLEAK_KERNEL_COUNTS(COUNT_TEXT)
#undef COUNT_TEXT
	};
	uint64_t n = missed_allocations(kernel);

	if (n != kernel->told_missed)
		message("%" PRIu64 " allocations not seen: in interrupts during another", n);
	kernel->told_missed = n;
	for (size_t i = 0; i < MEMLEAK_N_KERNEL_COUNTS; i++) {
		n = kernel->skel->bss->counts[i];
		if (n != kernel->told_counts[i])
			message("%" PRIu64 " %s", n, texts[i]);
		kernel->told_counts[i] = n;
	}
}
