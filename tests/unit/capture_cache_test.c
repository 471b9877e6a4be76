/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves, for dwunw_context_opts.max_module_bytes and dwunw_context_get_stats(): processes of ever different binaries leave no more behind
 * than the bound, for which others that are remembered are dropped, the oldest first and only where that helps; stacks stay
 * complete; a process that comes back finds its files read. Bad input gives its documented error.
 */
#include <stddef.h>

#include "../workdir.h"
#include "capture.h"
#include "process/process.h"
#include "bpf/dwunw_bpf.h"

#define BUILD_ID_SIZE 20

static uint8_t *program;
static size_t program_size;
static uint8_t *build_id; /* in it */

static struct dwunw_context_stats stats(void)
{
	struct dwunw_context_stats ret = {.size = sizeof(ret)};

	CHECK(dwunw_context_get_stats(context, &ret) == 0);
	return ret;
}

static void make_program(void)
{
	static const uint8_t id[] = "\xaa\xbb\xaa\xbb\xaa\xbb\xaa\xbb\xaa\xbb"
				    "\xaa\xbb\xaa\xbb\xaa\xbb\xaa\xbb\xaa\xbb";

	write_text("program.c", "#include <unistd.h>\nint main(void) { pause(); }\n");
	run("cc -O1 -o program program.c "
	    "-Wl,--build-id=0xaabbaabbaabbaabbaabbaabbaabbaabbaabbaabb");
	program = read_file("program", &program_size);
	build_id = memmem(program, program_size, id, BUILD_ID_SIZE);
	if (!build_id)
		abort();
}

/* A process of a program with a build ID of its own, which sleeps. */
static pid_t start_program(uint32_t number)
{
	char path[32];
	pid_t pid;

	snprintf(path, sizeof(path), "./program-%u", number);
	memcpy(build_id, &number, sizeof(number));
	write_file(path, program, program_size);
	run("chmod +x %s", path);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl(path, path, NULL);
		_exit(99);
	}
	/* until it is no longer this program, and asleep */
	for (int i = 0; i < 1000; i++) {
		char link[64], exe[64] = "";

		snprintf(link, sizeof(link), "/proc/%d/exe", pid);
		if (readlink(link, exe, sizeof(exe) - 1) > 0 && strstr(exe, "/program-") &&
		    state_of(pid) == 'S')
			break;
		pause_ms(1);
	}
	return pid;
}

static struct dwunw_context *create(unsigned int max_processes, size_t max_module_bytes)
{
	struct dwunw_context_opts opts = {.size = sizeof(opts),
					  .max_processes = max_processes,
					  .max_module_bytes = max_module_bytes};
	struct dwunw_context *ret = NULL;

	CHECK(dwunw_context_create(&opts, &ret) == 0);
	return ret;
}

#define MANY 120
#define BOUND (700 << 10) /* the C library and the dynamic linker take a third of it */

static void test_many(void)
{
	struct dwunw_unwind_result result;
	pid_t pids[MANY];
	struct dwunw_context_stats before = {0}, s;
	bool complete = true, bounded = true;

	context = create(MANY * 2, BOUND);
	for (uint32_t i = 0; i < MANY; i++) {
		pids[i] = start_program(i);
		complete = complete && capture(pids[i], 0, &result) == 0 &&
			   result.stop == DWUNW_STOP_ROOT;
		s = stats();
		bounded = bounded && s.module_bytes <= BOUND;
		if (s.processes_dropped_for_modules == 0)
			before = s;
		if (i % 2)
			end(pids[i]); /* the cache is not told */
	}
	CHECK(complete && bounded);
	CHECK(before.processes > 10 && before.modules_dropped == 0);
	CHECK(s.processes_dropped_for_modules > MANY / 3 && s.processes_dropped == 0);
	CHECK(s.processes == MANY - s.processes_dropped_for_modules);
	CHECK(s.modules_dropped == s.processes_dropped_for_modules); /* one program each */
	/* Those that are there are the youngest. */
	CHECK(dwunw_forget_process(context, pids[MANY - 1]) == 0);
	CHECK(dwunw_forget_process(context, pids[MANY - s.processes]) == 0);
	CHECK(dwunw_forget_process(context, pids[MANY - s.processes - 1]) == -ENOENT);
	for (uint32_t i = 0; i < MANY; i += 2)
		end(pids[i]);
	dwunw_context_destroy(context);
}

static void test_comes_back(void)
{
	struct dwunw_unwind_result result;
	struct dwunw_context_stats first, gone, again;
	pid_t pid, other;

	context = create(1, 0);
	pid = start_program(1000);
	CHECK(capture(pid, 0, &result) == 0 && result.stop == DWUNW_STOP_ROOT);
	first = stats();
	CHECK(first.modules >= 3 && first.unused_modules == 0 && first.processes == 1);
	CHECK(dwunw_forget_process(context, pid) == 0);
	gone = stats();
	CHECK(gone.unused_modules == first.modules && gone.modules == first.modules);
	CHECK(gone.module_bytes == first.module_bytes && gone.processes == 0);
	CHECK(capture(pid, 0, &result) == 0 && result.stop == DWUNW_STOP_ROOT);
	again = stats();
	CHECK(memcmp(&again, &first, sizeof(first)) == 0); /* nothing was read anew */
	other = start_program(1001);
	CHECK(capture(other, 0, &result) == 0 && result.stop == DWUNW_STOP_ROOT);
	again = stats();
	CHECK(again.modules == first.modules + 1 && again.unused_modules == 1);
	CHECK(again.processes == 1 && again.processes_dropped == 1);
	end(pid);
	end(other);
	dwunw_context_destroy(context);
}

/* Files that somebody else holds exceed the bound: no reason to drop processes, which would not help. */
static void test_held(void)
{
	struct dwunw_unwind_result result;
	struct process *held = NULL;
	struct dwunw_context_stats s;
	pid_t first = start_program(2000), second;

	context = create(0, 1);
	CHECK(process_open(dwunw_context_modules(context), first, &held) == 0);
	CHECK(capture(first, 0, &result) == 0 && result.stop == DWUNW_STOP_ROOT);
	second = start(sleep_deep, 1);
	CHECK(capture(second, 0, &result) == 0 && result.stop == DWUNW_STOP_ROOT);
	s = stats();
	CHECK(s.module_bytes > 1 && s.processes == 2 && s.processes_dropped_for_modules == 0);
	/* this test's own program is on no stack but that of the second, which is dropped for the first */
	CHECK(capture(first, 0, &result) == 0 && result.stop == DWUNW_STOP_ROOT);
	s = stats();
	CHECK(s.processes == 1 && s.processes_dropped_for_modules == 1);
	process_close(dwunw_context_modules(context), held);
	end(first);
	end(second);
	dwunw_context_destroy(context);
}

static void test_bad_input(void)
{
	struct {
		struct dwunw_context_stats known;
		uint64_t newer;
	} longer = {{.size = sizeof(longer)}, 1};
	struct dwunw_context_stats none = {.modules = 77},
				   shorter = {.size = offsetof(struct dwunw_context_stats,
							       module_bytes),
					      .module_bytes = 77};

	context = create(0, 0);
	CHECK(dwunw_context_get_stats(NULL, &shorter) == -EINVAL);
	CHECK(dwunw_context_get_stats(context, NULL) == -EINVAL);
	CHECK(dwunw_context_get_stats(context, &none) == -EINVAL && none.modules == 77);
	none.size = 1 << 20;
	CHECK(dwunw_context_get_stats(context, &none) == -EINVAL && none.modules == 77);
	CHECK(dwunw_context_get_stats(context, &shorter) == 0 && shorter.module_bytes == 77);
	CHECK(shorter.size == offsetof(struct dwunw_context_stats, module_bytes));
	CHECK(dwunw_context_get_stats(context, &longer.known) == 0 && longer.newer == 0);
	CHECK(longer.known.size == sizeof(longer));
	dwunw_context_destroy(context);
}

int main(void)
{
	setup();
	dwunw_context_destroy(context);
	workdir_enter();
	make_program();
	test_bad_input();
	test_comes_back();
	test_held();
	test_many();
	free(program);
	workdir_leave();
	return test_end();
}
