/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves, on the files of this machine: in a process with a preloaded allocator, that one and the C library's are found, each once, by
 * themselves, one alone by path, file name and soname, and none with a prefix that nothing has; the returns found of each operator new are
 * return instructions in objdump's reading of the file, and are all that objdump shows in the function itself.
 */
#include "allocator.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../test.h"
#include "elf/elf_file.h"
#include "process/process.h"
#include "returns.h"

#define LIBRARIES "/usr/lib/x86_64-linux-gnu/"

static const struct {
	const char *path, *maker;
} known[] = {
	{LIBRARIES "libjemalloc.so.2", "jemalloc"},
	{LIBRARIES "libtcmalloc_minimal.so.4", "tcmalloc"},
	{LIBRARIES "libmimalloc.so.2", "mimalloc"},
};

enum { N_KNOWN = sizeof(known) / sizeof(known[0]) };

static size_t count(const struct allocators *allocators, const char *maker)
{
	size_t n = 0;

	for (size_t i = 0; i < allocators->n; i++)
		n += allocators->list[i].maker && !strcmp(allocators->list[i].maker, maker);
	return n;
}

static size_t count_role(const struct allocators *allocators, enum allocator_role role)
{
	size_t n = 0;

	for (size_t i = 0; i < allocators->n; i++)
		for (size_t probe = 0; probe < allocators->list[i].n_probes; probe++)
			n += allocators->list[i].roles[probe] == role;
	return n;
}

/* cat, with the library, once it runs. */
static pid_t start(const char *preload)
{
	char setting[256], *arguments[] = {"cat", NULL}, *environment[] = {setting, NULL};
	int in[2], out[2];
	pid_t pid;
	char c = 0;

	snprintf(setting, sizeof(setting), "LD_PRELOAD=%s", preload);
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		return -1;
	pid = fork();
	if (pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		execve("/bin/cat", arguments, environment);
		_exit(1);
	}
	close(in[0]);
	close(out[1]);
	if (write(in[1], "x", 1) != 1 || read(out[0], &c, 1) != 1) /* it has come to main() */
		c = 0;
	close(out[0]);
	/* its end is that of its input, kept open here */
	return c == 'x' ? pid : -1;
}

static void check_one(struct process *process, const char *object, const char *maker)
{
	struct allocators allocators = {};

	CHECK(allocator_find(process->pid, process, object, "", &allocators) == 0);
	CHECK(count(&allocators, maker) == 1 && count(&allocators, "glibc") == 0);
	allocators_close(&allocators);
}

static void check_found(struct process *process, size_t which)
{
	struct allocators allocators = {};
	char line[1024];
	size_t n;

	CHECK(allocator_find_all(process->pid, process, "", &allocators) == 0);
	CHECK(count(&allocators, known[which].maker) == 1 && count(&allocators, "glibc") == 1);
	n = allocators.n;
	CHECK(allocator_find_all(process->pid, process, "", &allocators) == 0);
	CHECK(allocators.n == n); /* known already */
	CHECK(count_role(&allocators, ALLOCATOR_NEW) > 0);
	CHECK(count_role(&allocators, ALLOCATOR_NEW_RETURN) > 0);
	CHECK(count_role(&allocators, ALLOCATOR_MAPPING) >= 3);
	allocators_describe(&allocators, 0, line, sizeof(line));
	CHECK(strstr(line, "glibc in /") && strstr(line, known[which].maker));
	allocators_close(&allocators);
	CHECK(allocator_find_all(process->pid, process, "nosuch_", &allocators) == -ENOENT);
	CHECK(allocator_find(process->pid, process, "nosuch.so", "", &allocators) == -ENOENT);
	CHECK(allocator_find(process->pid, process, "libc.so.6", "nosuch_", &allocators) ==
	      -ENOSYS);
	CHECK(allocators.n == 0 && allocator_libraries_are_mapped(process));
	allocators_close(&allocators);
}

static void test_process(size_t which)
{
	const char *soname = strrchr(known[which].path, '/') + 1;
	struct module_cache *modules;
	struct process *process;
	char real[4096];
	pid_t pid;

	if (access(known[which].path, R_OK) || !realpath(known[which].path, real)) {
		printf("# there is no %s\n", known[which].path);
		return;
	}
	pid = start(known[which].path);
	CHECK(pid > 0);
	if (pid <= 0)
		return;
	CHECK(module_cache_create(0, &modules) == 0);
	CHECK(process_open(modules, pid, &process) == 0);
	check_found(process, which);
	check_one(process, soname, known[which].maker);
	check_one(process, real, known[which].maker);
	check_one(process, strrchr(real, '/') + 1, known[which].maker);
	process_close(modules, process);
	module_cache_destroy(modules);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Whether `found` agrees with objdump's reading of [start, end) and of each place that was found. */
static void compare(const char *path, uint64_t start, uint64_t end, const struct returns *found)
{
	bool confirmed[RETURNS_MAX] = {};
	char command[512], line[512];
	FILE *objdump;

	snprintf(command, sizeof(command), "objdump -d --no-show-raw-insn %s", path);
	objdump = popen(command, "r");
	while (objdump && fgets(line, sizeof(line), objdump)) {
		char name[16] = "", second[16] = "";
		uint64_t addr;
		bool is_found = false;

		if (sscanf(line, " %lx: %15s %15s", &addr, name, second) < 2)
			continue;
		if (strcmp(name, "ret") && strcmp(second, "ret")) /* repz ret */
			continue;
		for (size_t i = 0; i < found->n; i++) {
			if (found->vaddrs[i] != addr)
				continue;
			confirmed[i] = is_found = true;
		}
		if (addr >= start && addr < end)
			CHECK(is_found);
	}
	CHECK(objdump && pclose(objdump) == 0);
	for (size_t i = 0; i < found->n; i++)
		CHECK(confirmed[i]);
}

static void test_returns(const char *path)
{
	static const char *const names[] = {"_Znwm", "_Znam", "_ZnwmRKSt9nothrow_t",
					    "_ZnwmSt11align_val_t"};
	struct module_cache *modules;
	struct module *module;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	CHECK(module_cache_create(0, &modules) == 0);
	CHECK(module_cache_get(modules, fd, path, &module) == 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct returns found;
		uint64_t vaddr, size;

		CHECK(elf_file_find_function(module->elf, names[i], &vaddr, &size) == 0);
		CHECK(returns_find(module, vaddr, NULL, 0, &found) == 0);
		CHECK(found.n > 0 && !found.sealed);
		compare(path, vaddr, vaddr + size, &found);
	}
	module_put(modules, module);
	module_cache_destroy(modules);
	close(fd);
}

int main(void)
{
	for (size_t i = 0; i < N_KNOWN; i++) {
		test_process(i);
		test_returns(known[i].path);
	}
	test_returns(LIBRARIES "libstdc++.so.6");
	return test_end();
}
