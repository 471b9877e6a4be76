/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves, by functions that run, one instruction after another: on each call exactly one gate is passed with its condition, or one return
 * instruction that has kept its probe is reached; the register that is said to have the result has then what the call returns,
 * and the stack pointer is as far from the return address as is said. The processor is the judge. So it is for the operators new of the
 * allocators of this machine (tests/newer/run: of a newer distribution), with sizes of their fast and their slow ways; the probes, with their
 * cookies, are those that memleak would attach. Most calls are to pass gates.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "allocator.h"
#include "elf/elf_file.h"
#include "gates_run.h"
#include "process/process.h"

#define LIBRARIES "/usr/lib/x86_64-linux-gnu"
#define N_CALLS 60

/* From vaddrs of a file to addresses; 0: it is not mapped. */
static uint64_t find_bias(const struct elf_file *elf, const char *path)
{
	FILE *file = fopen("/proc/self/maps", "re");
	uint64_t bias = 0;
	char line[4352];

	while (file && !bias && fgets(line, sizeof(line), file)) {
		unsigned long begin, offset;
		char flags[8];
		uint64_t vaddr;

		if (strstr(line, path) &&
		    sscanf(line, "%lx-%*x %7s %lx", &begin, flags, &offset) == 3 &&
		    flags[2] == 'x' && elf_file_off_to_vaddr(elf, offset, &vaddr) == 0)
			bias = begin - vaddr;
	}
	if (file)
		fclose(file);
	return bias;
}

/* The fast ways, and those that get more from the system. The other arguments: an alignment, and what a nothrow is not looked at for. */
static void call_operator(const char *name)
{
	static const long sizes[] = {8,	   100,	   1024,  4096,	   100, 5000, 40000, 8,	  70000,
				     3000, 300000, 70000, 5000000, 200, 16,   4000,  100, 262145};
	any function = (any)dlsym(RTLD_DEFAULT, name);
	void *block, *last = NULL;

	for (size_t n = 0; function && n < N_CALLS; n++) {
		const long args[4] = {sizes[n % (sizeof(sizes) / sizeof(sizes[0]))], 64};

		check_call(function, name, args, &block);
		CHECK(block != NULL);
		if (n % 3)
			free(last);
		last = block;
	}
	if (function && strstr(name, "nothrow")) {
		const long args[4] = {1L << 62, 64};

		check_call(function, name, args, &block);
		CHECK(block == NULL);
	}
}

static void take_gate(const struct allocator *allocator, size_t i, struct gates *ret)
{
	uint64_t cookie = allocator->probes[i].cookie;

	ret->gates[ret->n++] = (struct gate){
		.vaddr = allocator->functions[i] + allocator->places[i].offset,
		.condition = (unsigned int)(cookie >> MEMLEAK_COOKIE_CONDITION_SHIFT),
		.holder = (uint8_t)(cookie >> MEMLEAK_COOKIE_HOLDER_SHIFT),
		.below = (uint16_t)(cookie >> MEMLEAK_COOKIE_BELOW_SHIFT),
	};
}

static void call_operators(const struct allocator *allocator)
{
	uint64_t returns[ALLOCATOR_MAX_PROBES];
	struct gates gates = {};
	struct watched watched = {&gates, returns, 0};

	for (size_t i = 0; i < allocator->n_probes; i++) {
		if (allocator->roles[i] == ALLOCATOR_NEW_GATE)
			take_gate(allocator, i, &gates);
		if (allocator->roles[i] == ALLOCATOR_NEW_RETURN)
			returns[watched.n_returns++] =
				allocator->functions[i] + allocator->places[i].offset;
	}
	call.function = &watched;
	for (size_t i = 0; i < allocator->n_probes; i++)
		if (allocator->roles[i] == ALLOCATOR_NEW)
			call_operator(allocator->names[i]);
	printf("# %s: %zu gates, %zu returns stepped; %u calls: %u by gates, %u by returns\n",
	       allocator->path, gates.n, watched.n_returns, totals.calls, totals.by_gate,
	       totals.by_return);
	CHECK(gates.n > 0 && totals.wrong == 0 && totals.by_both == 0);
	CHECK(totals.calls > 0 && totals.by_gate > totals.calls / 2);
}

static int be_allocator(const char *path)
{
	struct allocators allocators = {};
	struct module_cache *modules;
	struct module *module;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	CHECK(module_cache_create(0, &modules) == 0);
	CHECK(allocator_find_unread(modules, path, "", &allocators) == 0);
	CHECK(module_cache_get(modules, fd, path, &module) == 0);
	call.bias = find_bias(module->elf, strrchr(path, '/'));
	CHECK(call.bias != 0 && allocators.n == 1);
	if (call.bias && allocators.n)
		call_operators(&allocators.list[0]);
	module_put(modules, module);
	allocators_close(&allocators);
	module_cache_destroy(modules);
	close(fd);
	return test_end();
}

static void test_allocator(const char *folder, const char *name)
{
	char path[512];
	int status = -1;
	pid_t pid;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (access(path, R_OK)) {
		printf("# there is no %s\n", path);
		return;
	}
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		setenv("LD_PRELOAD", path, 1);
		execl("/proc/self/exe", "gates_run_test", path, NULL);
		_exit(1);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

/* With an argument, the path of an allocator: this process has it preloaded. */
int main(int argc, char **argv)
{
	start_looking();
	if (argc > 1)
		return be_allocator(argv[1]);
	/* none can be preloaded into a program that is built with the address sanitizer */
	if (!dlsym(RTLD_DEFAULT, "__asan_init")) {
		test_allocator(LIBRARIES, "libjemalloc.so.2");
		test_allocator(LIBRARIES, "libtcmalloc_minimal.so.4");
		test_allocator(LIBRARIES, "libmimalloc.so.2");
	}
	return test_end();
}
