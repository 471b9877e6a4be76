/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves, by the kernel itself and without a clock, that the places which placement_find() says are emulated are: in a program that uses
 * the allocator, with a probe at all of these places, its functions are called, each place is hit, and the
 * kernel has not mapped the page, [uprobes], in which it single-steps. One more probe, on a place that is single-stepped, and the page
 * is there. placement_check() says the same. The libraries are copies: where another tool has a return probe in the same file, the kernel
 * maps that page for it.
 */
#include "placement_check.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../test.h"
#include "../workdir.h"
#include "allocator.h"
#include "allocator_functions.h"
#include "memleak_dwunw.skel.h"
#include "process/process.h"

#define LIBRARIES "/usr/lib/x86_64-linux-gnu/"
#define SIZE 64 /* and alignment, so that it is right for every operator delete */

typedef void *(*any)();

/* --- The program with the allocator ------------------------------------------------------------------------------------------------- */

static void call_function(any function, enum memleak_function kind, any get)
{
	void *block = NULL, *range;

	switch (kind) {
	case MEMLEAK_MALLOC:
	case MEMLEAK_NEW:
		function(SIZE, SIZE);
		break;
	case MEMLEAK_CALLOC:
		function(1, SIZE);
		break;
	case MEMLEAK_REALLOC:
		function(get(SIZE, SIZE), 2 * SIZE, 0);
		break;
	case MEMLEAK_REALLOCARRAY:
		function(get(SIZE, SIZE), 2, SIZE);
		break;
	case MEMLEAK_POSIX_MEMALIGN:
		function(&block, SIZE, SIZE);
		break;
	case MEMLEAK_MEMALIGN:
		function(SIZE, SIZE);
		break;
	case MEMLEAK_STRDUP:
	case MEMLEAK_STRNDUP:
		function("string", 3L);
		break;
	case MEMLEAK_FREE:
		function(get(SIZE, SIZE), SIZE, SIZE);
		break;
	case MEMLEAK_MMAP:
		function(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L);
		break;
	case MEMLEAK_MREMAP:
	case MEMLEAK_MUNMAP:
		range = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		function(range, 4096, 8192, MREMAP_MAYMOVE);
		break;
	case MEMLEAK_THROW:
	case MEMLEAK_N_FUNCTIONS:
		break;
	}
}

static int call_all(const char *library)
{
	void *handle = dlopen(library, RTLD_NOW);
	char c;

	if (!handle || write(STDOUT_FILENO, "x", 1) != 1)
		return EXIT_FAILURE;
	while (read(STDIN_FILENO, &c, 1) == 1) {
		any get = (any)dlsym(handle, "memalign");

		for (size_t i = 0; i < allocator_n_functions; i++) {
			any function = (any)dlsym(handle, allocator_functions[i].name);

			if (function)
				call_function(function, allocator_functions[i].kind, get);
		}
		if (write(STDOUT_FILENO, "x", 1) != 1)
			return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

struct target {
	pid_t pid;
	int in, out;
};

static bool start(const char *library, struct target *ret)
{
	int in[2], out[2];
	char c;

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		return false;
	ret->pid = fork();
	if (ret->pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		setenv("LD_LIBRARY_PATH", workdir, 1);
		setenv("LD_PRELOAD", library, 1);
		/* where this program is built with the address sanitizer: the library comes before it, and blocks are left */
		setenv("ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0", 1);
		execl("/proc/self/exe", "placement_kernel_test", library, NULL);
		_exit(1);
	}
	close(in[0]);
	close(out[1]);
	ret->in = in[1];
	ret->out = out[0];
	return read(ret->out, &c, 1) == 1;
}

static bool let_call(const struct target *target)
{
	char c = 0;

	return write(target->in, &c, 1) == 1 && read(target->out, &c, 1) == 1;
}

static bool end(const struct target *target)
{
	int status;

	close(target->in);
	close(target->out);
	return waitpid(target->pid, &status, 0) == target->pid && status == 0;
}

/* --- Its probes: perf events that count, without a program ------------------------------------------------------------------------- */

static int uprobe_type(void)
{
	FILE *file = fopen("/sys/bus/event_source/devices/uprobe/type", "re");
	int type = -1;

	if (!file)
		return -1;
	if (fscanf(file, "%d", &type) != 1)
		type = -1;
	fclose(file);
	return type;
}

static int probe(pid_t pid, const char *path, unsigned long offset)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = (uint32_t)uprobe_type(),
		.config1 = (uintptr_t)path,
		.config2 = offset,
	};

	return (int)syscall(SYS_perf_event_open, &attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static bool has_stepped(pid_t pid)
{
	char path[64], line[4352];
	bool found = false;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	while (maps && fgets(line, sizeof(line), maps))
		found |= strstr(line, " [uprobes]\n") != NULL;
	if (maps)
		fclose(maps);
	return found;
}

static bool is_called(const struct allocator *allocator, size_t i)
{
	return allocator->roles[i] != ALLOCATOR_NEW_RETURN &&
	       allocator->roles[i] != ALLOCATOR_THROW;
}

/* Of gates, the ways that are not slow are taken. */
static void check_hits(const struct allocator *allocator, const int *fds)
{
	uint64_t gate_hits = 0;
	size_t n_gates = 0;

	for (size_t i = 0; i < allocator->n_probes; i++) {
		uint64_t hits = 0;

		if (fds[i] < 0)
			continue;
		CHECK(read(fds[i], &hits, sizeof(hits)) == sizeof(hits));
		close(fds[i]);
		if (allocator->roles[i] == ALLOCATOR_NEW_GATE) {
			gate_hits += hits;
			n_gates++;
			continue;
		}
		CHECK(hits > 0);
		if (!hits)
			fprintf(stderr, "not hit: %s\n", allocator->names[i]);
	}
	CHECK(!n_gates || gate_hits > 0);
}

static void test_allocator(const struct allocator *allocator, const char *library)
{
	int fds[ALLOCATOR_MAX_PROBES], stepped = -1;
	struct target target;
	size_t n = 0;

	CHECK(start(library, &target));
	for (size_t i = 0; i < allocator->n_probes; i++) {
		fds[i] = -1;
		if (!is_called(allocator, i) || !allocator->places[i].emulated)
			continue;
		fds[i] = probe(target.pid, allocator->path, allocator->probes[i].offset);
		CHECK(fds[i] >= 0);
		n++;
	}
	CHECK(n > 5 && let_call(&target));
	CHECK(!has_stepped(target.pid));
	printf("# %s: %zu places, none single-stepped\n", allocator->path, n);
	check_hits(allocator, fds);
	for (size_t i = 0; i < allocator->n_probes && stepped < 0; i++)
		if (is_called(allocator, i) && !allocator->places[i].emulated)
			stepped = probe(target.pid, allocator->path, allocator->probes[i].offset);
	CHECK(let_call(&target));
	CHECK(has_stepped(target.pid) == (stepped >= 0));
	if (stepped >= 0)
		close(stepped);
	CHECK(end(&target));
}

static void test_library(const char *name)
{
	struct allocators allocators = {0};
	struct module_cache *modules;
	char library[256];

	snprintf(library, sizeof(library), LIBRARIES "%s", name);
	if (access(library, R_OK)) {
		printf("# %s is not installed\n", library);
		return;
	}
	run("cp -L %s .", library);
	snprintf(library, sizeof(library), "%s/%s", workdir, name);
	CHECK(module_cache_create(0, &modules) == 0);
	CHECK(allocator_find_unread(modules, library, "", &allocators) == 0);
	if (allocators.n)
		test_allocator(&allocators.list[0], library);
	allocators_close(&allocators);
	module_cache_destroy(modules);
}

static void test_check(void)
{
	struct memleak_dwunw_bpf *skel = memleak_dwunw_bpf__open();
	struct placement_check check = {0};
	struct bpf_program *program;

	CHECK(skel && probe_prepare(skel->obj) == 0);
	bpf_object__for_each_program(program, skel->obj)
		bpf_program__set_autoload(program, program == skel->progs.memleak_nothing);
	CHECK(memleak_dwunw_bpf__load(skel) == 0);
	CHECK(placement_check(skel->progs.memleak_nothing, &check) == 0);
	CHECK(check.emulated && check.emulated_ns > 0 && check.stepped_ns > 0);
	signal(SIGCHLD,
	       SIG_IGN); /* inherited from some supervisors: how the child ended is not known */
	CHECK(placement_check(skel->progs.memleak_nothing, &check) == -ECHILD);
	signal(SIGCHLD, SIG_DFL);
	memleak_dwunw_bpf__destroy(skel);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return call_all(argv[1]);
	if (geteuid() != 0 || uprobe_type() < 0) {
		printf("# no uprobes here, or not root\n0 passed, 0 failed, 1 skipped\n");
		return 0;
	}
	workdir_enter();
	test_library("libc.so.6");
	/* no other allocator can be preloaded into a program that is built with the address sanitizer */
	if (!dlsym(RTLD_DEFAULT, "__asan_init")) {
		test_library("libjemalloc.so.2");
		test_library("libtcmalloc_minimal.so.4");
		test_library("libmimalloc.so.2");
	}
	workdir_leave();
	test_check();
	return test_end();
}
