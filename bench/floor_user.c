/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The benchmark's floor: empty BPF programs at exactly the places where memleak_dwunw_user puts its own, attached in the
 * same way and order.
 *
 *   floor_user PID[,PID...] [OBJECT]     until SIGINT or SIGTERM; OBJECT as memleak's -O. All have the allocator of the first
 *
 * The line on stdout, once everything is attached, begins as memleak's does.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "allocator.h"
#include "bpf/probe.h"
#include "floor.skel.h"
#include "process/process.h"

static int attach_some(const struct allocator *allocator, pid_t pid, struct bpf_program *program,
		       bool is_free, bool is_return, struct probe_links *links)
{
	struct probe probes[ALLOCATOR_MAX_PROBES];
	char path[64];
	size_t n = 0;

	for (size_t i = 0; i < allocator->n_probes; i++) {
		if (allocator->roles[i] == (is_free ? ALLOCATOR_FREE : ALLOCATOR_CALL))
			probes[n++] = allocator->probes[i];
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", allocator->fd);
	return n ? probe_attach(program, pid, path, probes, n, is_return, links) : 0;
}

static int attach(const struct allocator *allocator, pid_t pid, struct floor_bpf *skel,
		  struct probe_links *links)
{
	int err = attach_some(allocator, pid, skel->progs.floor_exit, false, true, links);

	if (!err)
		err = attach_some(allocator, pid, skel->progs.floor_free, true, false, links);
	if (!err)
		err = attach_some(allocator, pid, skel->progs.floor_enter, false, false, links);
	return err;
}

static int find_allocator(pid_t pid, const char *object, struct allocators *ret)
{
	struct module_cache *modules;
	struct process *process;
	int err = module_cache_create(0, &modules);

	if (err)
		return err;
	err = process_open(modules, pid, &process);
	if (!err) {
		err = allocator_find(pid, process, object, "", ret);
		process_close(modules, process);
	}
	module_cache_destroy(modules);
	return err;
}

/* In each of the processes. */
static int attach_all(const struct allocator *allocator, const char *pids, struct floor_bpf *skel,
		      struct probe_links *links)
{
	char *end;
	int err;

	do {
		err = attach(allocator, (pid_t)strtol(pids, &end, 10), skel, links);
		pids = end + 1;
	} while (!err && *end == ',');
	return err;
}

static int run(const char *pids, const char *object, const sigset_t *ends)
{
	struct probe_links links = {0};
	struct allocators allocators = {0};
	pid_t first = (pid_t)strtol(pids, NULL, 10);
	struct floor_bpf *skel;
	int err = find_allocator(first, object, &allocators), number;

	if (err)
		return err;
	skel = floor_bpf__open_and_load();
	err = skel ? attach_all(&allocators.list[0], pids, skel, &links) : -errno;
	if (!err) {
		printf("Attaching to pid %d\n", first);
		fflush(stdout);
		sigwait(ends, &number);
	}
	probe_detach_together(&links);
	floor_bpf__destroy(skel);
	allocators_close(&allocators);
	return err;
}

int main(int argc, char **argv)
{
	sigset_t ends;
	int err;

	if (argc < 2) {
		fprintf(stderr, "usage: floor_user PID[,PID...] [OBJECT]\n");
		return EXIT_FAILURE;
	}
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	err = run(argv[1], argc > 2 ? argv[2] : "libc.so.6", &ends);
	if (err)
		fprintf(stderr, "floor_user: %s\n", strerror(-err));
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
