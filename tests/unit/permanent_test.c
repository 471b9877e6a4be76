/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves which mappings of a live process are taken to stay: those of the program, of what it needs, of what LD_PRELOAD names and of what that
 * needs; not those of a library that was opened later. The names are those of /proc/PID/maps; what the program needs was looked up by hand.
 */
#include <errno.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../test.h"
#include "bpf/permanent.h"
#include "process/process.h"

static char folder[4096]; /* tests/programs */

/* The program `plugin`, which has opened its library and waits; *input: let it end by closing that. */
static pid_t start_plugin(const char *preload, int *input)
{
	char path[8192], byte, text[64] = "";
	size_t used = 0;
	int in[2], out[2];
	pid_t pid;

	snprintf(path, sizeof(path), "%s/plugin", folder);
	if (pipe(in) || pipe(out))
		return -1;
	pid = fork();
	if (pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[1]);
		if (preload)
			setenv("LD_PRELOAD", preload, 1);
		execl(path, path, NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	if (write(in[1], "\n", 1) != 1)
		return -1;
	while (!strstr(text, "done\n") && read(out[0], &byte, 1) == 1) {
		if (used == sizeof(text) - 1) {
			memmove(text, text + 1, sizeof(text) - 2);
			used--;
		}
		text[used++] = byte;
	}
	close(out[0]);
	*input = in[1];
	return pid;
}

/* -1: no code of the file is mapped; 0: not permanent; 1: all of it is. */
static int is_permanent(const struct process *process, const char *name)
{
	int ret = -1;

	for (size_t i = 0; i < process->n_mappings; i++) {
		const struct mapping *mapping = &process->mappings[i];
		const char *slash = strrchr(mapping->path, '/');

		if (!mapping->executable ||
		    strncmp(slash ? slash + 1 : mapping->path, name, strlen(name)))
			continue;
		ret = ret == 0 ? 0 : mapping->permanent;
	}
	return ret;
}

static void check(struct module_cache *modules, const char *preload, int with)
{
	struct process *process;
	int input = -1;
	pid_t pid = start_plugin(preload, &input);

	CHECK(pid > 0);
	CHECK(process_open(modules, pid, &process) == 0);
	CHECK(permanent_mark(modules, process));
	CHECK(is_permanent(process, "plugin_lib.so") == 0);
	CHECK(is_permanent(process, "libc.so.6") == 1);
	CHECK(is_permanent(process, "ld-") == 1);
	CHECK(is_permanent(process, "libstdc++.so.6") == with);
	CHECK(is_permanent(process, "libm.so.6") == with);
	CHECK(is_permanent(process, "libgcc_s.so.1") == with);
	CHECK(is_permanent(process, "modes_lib.so") == with);
	permanent_clear(process);
	CHECK(is_permanent(process, "libc.so.6") == 0);
	process_close(modules, process);
	close(input);
	waitpid(pid, NULL, 0);
}

int main(void)
{
	char self[4096], preload[8192];
	struct module_cache *modules;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	CHECK(n > 0);
	self[n > 0 ? n : 0] = '\0';
	snprintf(folder, sizeof(folder), "%s/../programs", dirname(self));
	snprintf(preload, sizeof(preload), "libstdc++.so.6:%s/modes_lib.so", folder);
	CHECK(module_cache_create(0, &modules) == 0);
	check(modules, NULL, -1);
	check(modules, preload, 1);
	module_cache_destroy(modules);
	return test_end();
}
