/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves: code in anonymous memory has the names of /tmp/perf-PID.map, by what the file says now: lines that were added or that replace
 * others count, a last line that is not whole does not, and lines that are none are passed over; a process in a PID and a mount namespace
 * of its own has its own file, by its own pid; a link, a FIFO and a huge file do no harm; that there is no such
 * file is said, once; names stay when the process and the file are gone.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../test.h"
#include "process/process.h"
#include "symbolize/naming.h"
#include "symbolize/symbolize.h"

static struct module_cache *cache;
static struct naming *naming;
static char path[64];

static unsigned int n_missing;

static void count_missing(const char *line)
{
	n_missing += strstr(line, "there is no /tmp/perf-PID.map") != NULL;
}

static void put(const char *how, const char *text)
{
	FILE *file = fopen(path, how);

	CHECK(file && fputs(text, file) >= 0);
	if (file)
		fclose(file);
}

static bool is(struct symbolizer *s, uint64_t addr, const char *name, uint64_t offset)
{
	struct symbol symbol;

	symbolizer_find(s, addr, 0, &symbol);
	if (!name)
		return !symbol.name;
	return symbol.name && strcmp(symbol.name, name) == 0 && symbol.offset == offset &&
	       strcmp(symbol.source, "perf map") == 0;
}

static struct symbolizer *symbolizer_of(pid_t pid)
{
	struct symbolizer *s = NULL;
	struct process *process = NULL;

	CHECK(process_open(cache, pid, &process) == 0);
	CHECK(symbolizer_create(process, naming, &s) == 0);
	process_close(cache, process);
	return s;
}

static void test_own(uint64_t code)
{
	struct symbolizer *s;
	char line[256];

	snprintf(path, sizeof(path), "/tmp/perf-%d.map", getpid());
	snprintf(line, sizeof(line),
		 "%lx 10 first\nnonsense\n%lx zz bad\n\n%lx 8 LazyCompile:~f /a b.js:1\n%lx 4 cut",
		 (unsigned long)code, (unsigned long)code, (unsigned long)code + 32,
		 (unsigned long)code + 64);
	put("w", line);
	s = symbolizer_of(getpid());
	CHECK(is(s, code, "first", 0) && is(s, code + 15, "first", 15) &&
	      is(s, code + 16, NULL, 0));
	CHECK(is(s, code + 33, "LazyCompile:~f /a b.js:1", 1) && is(s, code + 64, NULL, 0));
	/* the rest of that line; and other code in the place of the first */
	snprintf(line, sizeof(line), "ter\n%lx 20 second\n", (unsigned long)code);
	put("a", line);
	CHECK(is(s, code + 64, "cutter", 0) && is(s, code + 3, "second", 3));
	unlink(path);
	CHECK(is(s, code + 3, "second", 3));
	symbolizer_destroy(s);
}

static void test_missing(uint64_t code)
{
	struct symbolizer *s = symbolizer_of(getpid());

	n_missing = 0;
	CHECK(is(s, (uintptr_t)test_missing, NULL, 0) || n_missing == 0); /* code of a file */
	CHECK(n_missing == 0 && is(s, code, NULL, 0) && n_missing == 1);
	symbolizer_destroy(s);
	s = symbolizer_of(getpid());
	CHECK(is(s, code, NULL, 0) && n_missing == 1);
	symbolizer_destroy(s);
}

static void test_long_name(uint64_t code)
{
	struct symbolizer *s;
	char line[3000], name[1024];

	memset(line, 'n', sizeof(line));
	line[snprintf(line, sizeof(line), "%lx 10 ", (unsigned long)code)] = 'n';
	strcpy(line + sizeof(line) - 2, "\n");
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	put("w", line);
	s = symbolizer_of(getpid());
	CHECK(is(s, code + 1, name, 1) && naming->losses[LOSS_JIT_NAME].n == 1);
	symbolizer_destroy(s);
	unlink(path);
}

/* What is no file of moderate size. */
static void test_odd(uint64_t code)
{
	struct symbolizer *s;

	CHECK(mkfifo(path, 0600) == 0);
	s = symbolizer_of(getpid());
	CHECK(is(s, code, NULL, 0));
	symbolizer_destroy(s);
	unlink(path);
	put("w", "");
	CHECK(truncate(path, 1LL << 40) == 0);
	s = symbolizer_of(getpid());
	CHECK(naming->losses[LOSS_JIT].n == 0);
	CHECK(is(s, code, NULL, 0));
	CHECK(naming->losses[LOSS_JIT].n == 1);
	symbolizer_destroy(s);
	unlink(path);
}

/* Process 1 of its own PID namespace, with a /tmp of its own. */
static int inside(uint64_t code, int ready)
{
	FILE *file;

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/tmp", "tmpfs", 0, NULL))
		return 1;
	file = fopen("/tmp/perf-1.map", "w");
	if (!file || fprintf(file, "%lx 10 contained\n", (unsigned long)code) < 0 || fclose(file))
		return 1;
	if (write(ready, "", 1) != 1)
		return 1;
	pause();
	return 0;
}

/* A process of its own for unshare(), which would leave this one without children. Writes the pid of what runs inside. */
static void begin_inside(uint64_t code, const int *ready, int told)
{
	pid_t pid;
	char byte;

	if (unshare(CLONE_NEWPID))
		_exit(1);
	pid = fork();
	if (pid == 0)
		_exit(inside(code, ready[1]));
	close(ready[1]);
	if (read(ready[0], &byte, 1) == 1 && write(told, &pid, sizeof(pid)) == sizeof(pid))
		waitpid(pid, NULL, 0);
	_exit(0);
}

static void test_namespace(uint64_t code)
{
	int ready[2], told[2];
	struct symbolizer *s;
	pid_t middle, pid = 0;

	if (geteuid() != 0) {
		fprintf(stderr, "not root: no namespaces\n");
		return;
	}
	CHECK(pipe(ready) == 0 && pipe(told) == 0);
	middle = fork();
	if (middle == 0)
		begin_inside(code, ready, told[1]);
	close(told[1]);
	CHECK(read(told[0], &pid, sizeof(pid)) == sizeof(pid));
	if (pid) {
		s = symbolizer_of(pid);
		CHECK(is(s, code + 1, "contained", 1));
		kill(pid, SIGKILL);
		waitpid(middle, NULL, 0);
		CHECK(is(s, code + 2, "contained", 2));
		symbolizer_destroy(s);
	}
}

int main(void)
{
	uint64_t code = (uintptr_t)mmap(NULL, 4096, PROT_READ | PROT_EXEC,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(module_cache_create(0, &cache) == 0);
	CHECK(naming_create(&(struct symbolizer_options){.tell = count_missing}, &naming) == 0);
	test_own(code);
	test_missing(code);
	test_long_name(code);
	test_odd(code);
	test_namespace(code);
	naming_destroy(naming);
	module_cache_destroy(cache);
	return test_end();
}
