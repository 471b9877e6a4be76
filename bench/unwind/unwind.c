/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a frame costs, and the first stack: libdwunw, libdwfl and libunwind over the same snapshots, and programs that unwind
 * themselves. All take turns in one run. See bench/README.md.
 *
 *   unwind [ROUNDS [LIBRARY]]       7 rounds, libLLVM-14.so.1
 *
 * Ends with status 1 when two unwinders disagree about a stack.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <dwunw/step_types.h>

#include "arch/arch.h"
#include "cfi/cfi.h"
#include "elf/elf_file.h"
#include "table/table.h"
#include "unwind/stop_thread.h"

#include "clock.h"
#include "snapshot.h"

#define MAX_ROUNDS 101
#define PAGE 4096
#define STACK_MAX (64 << 10)

uint64_t unwound[MAX_FRAMES];

static const struct unwinder *const unwinders[] = {
	&unwinder_dwunw, /* first: the others are compared with it */
	&unwinder_libdwfl,
#ifdef HAVE_LIBUNWIND
	&unwinder_libunwind,
#endif
};
static const char *const self_methods[] = {
	"dwunw_self",
#ifdef HAVE_LIBUNWIND
	"unw_backtrace",
	"unw_step",
#endif
	"glibc-backtrace",
};
enum {
	N_UNWINDERS = sizeof(unwinders) / sizeof(unwinders[0]),
	N_METHODS = N_UNWINDERS + sizeof(self_methods) / sizeof(self_methods[0]),
};

struct figures {
	double first_us[MAX_ROUNDS], warm_ns[MAX_ROUNDS]; /* by round; warm: of a frame */
};

struct target {
	const char *frames, *library; /* as given to the program; "-": no library */
	struct snapshot snapshot;
	struct stopped_thread thread;
	int to, from;
	struct figures figures[N_METHODS];
};

static char *target_path;

void fail(const char *what)
{
	fprintf(stderr, "unwind: %s\n", what);
	exit(1);
}

/* Starts the target's program; `method` may be NULL. */
static pid_t start(const char *frames, const char *library, const char *method, int *to, int *from)
{
	int in[2], out[2];
	pid_t pid;

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		fail("pipe");
	pid = fork();
	if (pid < 0)
		fail("fork");
	if (pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		execl(target_path, "target", frames, library, method, NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	*to = in[1];
	*from = out[0];
	return pid;
}

/* The line that a target says. */
static void listen_to(int from, char *line, size_t size)
{
	ssize_t n = read(from, line, size - 1);

	if (n <= 0)
		fail("no answer from the target");
	line[n] = 0;
}

/* Up to STACK_MAX bytes, or where the stack ends: what is not mapped begins with a page. */
static void copy_stack(struct snapshot *snapshot)
{
	uint64_t start = snapshot->registers.regs[arch_native()->step->sp];
	size_t size = 0;

	snapshot->stack = malloc(STACK_MAX);
	if (!snapshot->stack)
		fail("no memory");
	while (size + PAGE <= STACK_MAX) {
		size_t n = PAGE - (start + size) % PAGE;
		struct iovec to = {snapshot->stack + size, n};
		struct iovec from = {(void *)(uintptr_t)(start + size), n};

		if (process_vm_readv(snapshot->pid, &to, 1, &from, 1, 0) != (ssize_t)n)
			break;
		size += n;
	}
	snapshot->stack_start = start;
	snapshot->stack_size = size;
}

static void open_target(struct target *target)
{
	char line[16];

	target->snapshot.pid =
		start(target->frames, target->library, NULL, &target->to, &target->from);
	listen_to(target->from, line, sizeof(line));
	if (strcmp(line, "ready\n") != 0)
		fail("the target is not ready");
	/* Time to get from saying so into read(). */
	usleep(20000);
	if (thread_stop(target->snapshot.pid, target->snapshot.pid, &target->thread) ||
	    thread_registers(&target->thread, &target->snapshot.registers))
		fail("cannot stop the target");
	copy_stack(&target->snapshot);
}

static void close_target(struct target *target)
{
	thread_resume(&target->thread);
	close(target->to);
	close(target->from);
	waitpid(target->snapshot.pid, NULL, 0);
	free(target->snapshot.stack);
}

static void check_frames(const struct target *target, const struct unwinder *unwinder, size_t n)
{
	static uint64_t expected[MAX_FRAMES];
	static size_t n_expected;

	if (unwinder == unwinders[0]) {
		memcpy(expected, unwound, n * sizeof(unwound[0]));
		n_expected = n;
		if (n != strtoul(target->frames, NULL, 10)) {
			fprintf(stderr, "%zu frames instead of %s\n", n, target->frames);
			fail("not the stack that was meant");
		}
	} else if (n != n_expected || memcmp(expected, unwound, n * sizeof(unwound[0])) != 0) {
		fail("the unwinders do not agree");
	}
}

static void measure_snapshot(struct target *target, unsigned int method, unsigned int round)
{
	const struct unwinder *unwinder = unwinders[method];
	struct figures *figures = &target->figures[method];
	uint64_t begin = now_ns();
	size_t n;

	unwinder->open(&target->snapshot);
	n = unwinder->unwind();
	figures->first_us[round] = (double)(now_ns() - begin) / 1000;
	check_frames(target, unwinder, n);
	figures->warm_ns[round] = measure(unwinder->unwind) / (double)n;
	unwinder->close();
}

static void measure_self(struct target *target, unsigned int method, unsigned int round)
{
	struct figures *figures = &target->figures[method];
	char line[128];
	unsigned long first;
	double warm;
	size_t n;
	int to, from;
	pid_t pid = start(target->frames, target->library, self_methods[method - N_UNWINDERS], &to,
			  &from);

	listen_to(from, line, sizeof(line));
	if (sscanf(line, "%zu %lu %lf", &n, &first, &warm) != 3 || !n)
		fail("no figures from the target");
	figures->first_us[round] = (double)first / 1000;
	figures->warm_ns[round] = warm / (double)n;
	close(to);
	close(from);
	waitpid(pid, NULL, 0);
}

static void print_row(const struct target *target, unsigned int method, unsigned int rounds)
{
	struct figures figures = target->figures[method];
	double ratios[MAX_ROUNDS], warm = median(figures.warm_ns, rounds);
	double first = median(figures.first_us, rounds);

	for (unsigned int i = 0; i < rounds; i++)
		ratios[i] = target->figures[method].warm_ns[i] / target->figures[0].warm_ns[i];
	printf("%6s  %-16s %-16s %8.1f  %8.1f .. %-8.1f %6.1f  %9.0f  %8.0f .. %.0f\n",
	       target->frames, target->library,
	       method < N_UNWINDERS ? unwinders[method]->name : self_methods[method - N_UNWINDERS],
	       warm, figures.warm_ns[0], figures.warm_ns[rounds - 1], median(ratios, rounds), first,
	       figures.first_us[0], figures.first_us[rounds - 1]);
}

/* The file of a library that the dynamic linker finds by this name; freed by the caller. */
static char *library_file(const char *library)
{
	void *handle = dlopen(library, RTLD_LAZY);
	char folder[4096], *path = NULL;

	if (!handle)
		return NULL;
	if (dlinfo(handle, RTLD_DI_ORIGIN, folder) == 0 &&
	    asprintf(&path, "%s/%s", folder, library) < 0)
		path = NULL;
	dlclose(handle);
	return path;
}

static void measure_tables(const char *library, unsigned int rounds)
{
	char *path = library_file(library);
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	double ms[MAX_ROUNDS];
	struct table_stats stats = {0};
	struct elf_file *elf;
	struct cfi *cfi;

	if (fd < 0 || elf_file_open(fd, &elf) || cfi_open(elf, NULL, &cfi))
		fail("cannot open the library");
	for (unsigned int i = 0; i < rounds; i++) {
		uint64_t begin = now_ns();
		struct table *table;

		if (table_build(cfi, &table))
			fail("table_build");
		ms[i] = (double)(now_ns() - begin) / 1e6;
		stats = table->stats;
		table_destroy(table);
	}
	printf("\ntable of %s: %zu rows of CFI, %zu bytes (%.2f a row), built in %.1f ms", library,
	       stats.cfi_rows, stats.bytes, (double)stats.bytes / (double)stats.cfi_rows,
	       median(ms, rounds));
	printf(" (%.1f .. %.1f), %.1f million rows a second\n", ms[0], ms[rounds - 1],
	       (double)stats.cfi_rows / median(ms, rounds) / 1000);
	cfi_close(cfi);
	elf_file_close(elf);
	close(fd);
	free(path);
}

static void measure_all(struct target *targets, size_t n_targets, unsigned int rounds)
{
	for (size_t i = 0; i < n_targets; i++)
		open_target(&targets[i]);
	for (unsigned int round = 0; round < rounds; round++) {
		for (size_t i = 0; i < n_targets; i++) {
			for (unsigned int method = 0; method < N_METHODS; method++) {
				if (method < N_UNWINDERS)
					measure_snapshot(&targets[i], method, round);
				else
					measure_self(&targets[i], method, round);
			}
		}
	}
	for (size_t i = 0; i < n_targets; i++)
		close_target(&targets[i]);
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 7;
	const char *library = argc > 2 ? argv[2] : "libLLVM-14.so.1";
	static struct target targets[4];
	char *has_library = library_file(library);
	size_t n_targets = has_library ? 4 : 2;

	if (rounds < 1 || rounds > MAX_ROUNDS)
		fail("usage: unwind [ROUNDS [LIBRARY]]");
	if (asprintf(&target_path, "%s/target", dirname(argv[0])) < 0)
		fail("no memory");
	if (!has_library)
		printf("%s is not here: without it\n", library);
	for (size_t i = 0; i < n_targets; i++) {
		targets[i].frames = i % 2 ? "70" : "28";
		targets[i].library = i / 2 ? library : "-";
	}
	measure_all(targets, n_targets, rounds);
	printf("%u rounds in turns; the same frames from all unwinders\n\n", rounds);
	printf("%6s  %-16s %-16s %8s  %20s %6s  %9s  %s\n", "frames", "mapped", "unwinder",
	       "ns/frame", "min .. max", "ratio", "first, us", "    min .. max");
	for (size_t i = 0; i < n_targets; i++)
		for (unsigned int method = 0; method < N_METHODS; method++)
			print_row(&targets[i], method, rounds);
	measure_tables(has_library ? library : "libc.so.6", rounds);
	free(has_library);
	free(target_path);
	return 0;
}
