/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves, for dwunw_capture() over live threads: stacks are those that gdb finds in the same threads, frame for frame; frames fit
 * together and name their files; an exec and a main thread that has ended are no obstacle; a snapshot (registers and a copy of
 * the stack), a reader and the live thread give the same, and say why where they end early.
 */
#include <link.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <dwunw/step_types.h>

#include "arch/arch.h"
#include "capture.h"
#include "unwind/stop_thread.h"

static int note_program(struct dl_phdr_info *info, size_t size, void *bias)
{
	(void)size;
	*(uint64_t *)bias = info->dlpi_addr; /* the program comes first */
	return 1;
}

/* The dynamic linker's word for where the program is; a forked child has it at the same place. */
static uint64_t program_bias(void)
{
	uint64_t bias = 0;

	dl_iterate_phdr(note_program, &bias);
	return bias;
}

static void test_known_functions(void)
{
	struct dwunw_unwind_result result;
	pid_t pid = start(sleep_deep, 1);

	CHECK(capture(pid, 0, &result) == 0);
	CHECK(result.stop == DWUNW_STOP_ROOT && result.detail == 0);
	CHECK(has_levels(result.n_frames));
	CHECK(frames[0].flags == DWUNW_FRAME_EXACT);
	CHECK(frames[0].module && strstr(frames[0].module, "/libc.so.6"));
	CHECK(frames[result.n_frames - 1].ra == 0);
	CHECK(frames[result.n_frames - 1].module &&
	      strstr(frames[result.n_frames - 1].module, "/capture_test"));
	CHECK(frames[0].module_id && frames[0].module_id != frames[result.n_frames - 1].module_id);

	for (size_t i = 0; i + 1 < result.n_frames; i++)
		if (frames[i].module && strstr(frames[i].module, "/capture_test"))
			CHECK(frames[i].vaddr == frames[i].pc - program_bias());
	for (size_t i = 0; i + 1 < result.n_frames; i++) {
		CHECK(frames[i].ra == frames[i + 1].pc && frames[i].cfa == frames[i + 1].sp);
		CHECK(frames[i].cfa > frames[i].sp && !(frames[i + 1].flags & DWUNW_FRAME_EXACT));
	}
	end(pid);
}

static void *cond_wait_long(void *unused)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t cond = PTHREAD_COND_INITIALIZER;

	pthread_mutex_lock(&mutex);
	__sync_fetch_and_add(&shared->ready, 1);
	pthread_cond_wait(&cond, &mutex);
	return unused;
}

static void read_long(void)
{
	int ends[2];
	char byte;

	__sync_fetch_and_add(&shared->ready, 1);
	if (pipe(ends) == 0 && read(ends[0], &byte, 1) == 1)
		abort();
}

static void *read_deep(void *unused)
{
	innermost = read_long;
	level_1();
	return unused;
}

static void on_signal(int signal)
{
	(void)signal;
	read_long();
}

static void *raise_deep(void *unused)
{
	signal(SIGUSR1, on_signal);
	raise(SIGUSR1);
	return unused;
}

static int compare_pointers(const void *a, const void *b)
{
	return **(const int *const *)a - **(const int *const *)b;
}

static void *sort_deep(void *unused)
{
	const int numbers[] = {2, 1};
	const int *pointers[] = {&numbers[0], &numbers[1]};

	qsort(pointers, 2, sizeof(pointers[0]), compare_pointers);
	return read_deep(unused);
}

static void many_threads(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, cond_wait_long, NULL);
	pthread_create(&thread, NULL, read_deep, NULL);
	pthread_create(&thread, NULL, raise_deep, NULL);
	pthread_create(&thread, NULL, sort_deep, NULL);
	sleep_long();
}

/* The next thread in gdb's output is captured and compared; false: no more. */
static bool compare_thread(FILE *gdb, char *line, int size, pid_t pid)
{
	struct dwunw_frame first[MAX_FRAMES];
	struct dwunw_unwind_result result = {0};
	unsigned long pc;
	size_t i = 0;
	int tid;

	while (sscanf(line, "TID %d", &tid) != 1)
		if (!fgets(line, size, gdb))
			return false;
	CHECK(capture(pid, tid, &result) == 0 && result.stop == DWUNW_STOP_ROOT);
	memcpy(first, frames, sizeof(first));
	/* with all rules known */
	CHECK(capture(pid, tid, &result) == 0 && memcmp(first, frames, sizeof(first)) == 0);
	while (fgets(line, size, gdb) && sscanf(line, "0x%lx", &pc) == 1) {
		CHECK(i < result.n_frames && frames[i].pc == pc);
		i++;
	}
	CHECK(i == result.n_frames && i >= 3);
	return true;
}

static void test_gdb(void)
{
	pid_t pid = start(many_threads, 5);
	char command[128], line[256] = "";
	int threads = 0;
	FILE *gdb;

	snprintf(command, sizeof(command),
		 "timeout 40 gdb -nx -batch -p %d -x tests/gdb_threads.py 2>/dev/null", pid);
	gdb = popen(command, "r");
	if (gdb) {
		/* All of it first: gdb must have gone before others can trace. */
		char *all = NULL;
		size_t n = 0;
		FILE *text;

		if (getdelim(&all, &n, '\0', gdb) < 0)
			n = 0;
		pclose(gdb);
		text = n ? fmemopen(all, strlen(all), "r") : NULL;
		while (text && compare_thread(text, line, sizeof(line), pid))
			threads++;
		if (text)
			fclose(text);
		free(all);
	}
	CHECK(threads == 5);
	end(pid);
}

static void exec_later(void)
{
	innermost = sleep_long;
	signal(SIGUSR1, SIG_DFL);
	shared->ready++;
	while (!shared->result)
		pause_ms(1);
	execlp("sleep", "sleep", "1000", NULL);
}

static void test_exec(void)
{
	struct dwunw_unwind_result result;
	pid_t pid = start(exec_later, 1);
	const char *before;

	CHECK(capture(pid, 0, &result) == 0 && result.stop == DWUNW_STOP_ROOT);
	before = frames[result.n_frames - 1].module;
	shared->result = 1;
	pause_ms(200);
	CHECK(capture(pid, 0, &result) == 0 && result.stop == DWUNW_STOP_ROOT);
	CHECK(strstr(frames[result.n_frames - 1].module, "bin/"));
	CHECK(!strstr(frames[result.n_frames - 1].module, "capture_test"));
	CHECK(strstr(before, "/capture_test")); /* still there */
	CHECK(dwunw_forget_process(context, pid) == 0);
	CHECK(dwunw_forget_process(context, pid) == -ENOENT);
	end(pid);
}

static void *outlive_main(void *unused)
{
	shared->tid = (pid_t)syscall(SYS_gettid);
	pause_ms(100);
	read_deep(unused);
	return unused;
}

static void main_ends(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, outlive_main, NULL);
	pthread_exit(NULL);
}

static void test_main_ended(void)
{
	struct dwunw_unwind_result result;
	pid_t pid = start(main_ends, 1);

	CHECK(state_of(pid) == 'Z');
	CHECK(capture(pid, 0, &result) == -ESRCH);
	CHECK(capture(pid, shared->tid, &result) == 0 && result.stop == DWUNW_STOP_ROOT);
	CHECK(has_levels(result.n_frames));
	end(pid);
}

/* What the caller of a snapshot has: registers, and the stack from the stack pointer on. */
static size_t take_snapshot(pid_t pid, struct dwunw_registers *registers, void *stack, size_t size)
{
	struct iovec local = {stack, size}, remote = {NULL, size};
	struct stopped_thread thread;
	ssize_t n;

	if (thread_stop(pid, pid, &thread))
		return 0;
	thread_registers(&thread, registers);
	registers->valid = arch_native()->step->callee_saved;
	remote.iov_base = (void *)(uintptr_t)registers->regs[arch_native()->step->sp];
	n = process_vm_readv(pid, &local, 1, &remote, 1, 0);
	thread_resume(&thread);
	return n < 0 ? 0 : (size_t)n;
}

struct reading {
	const struct dwunw_registers *registers;
	const uint8_t *stack;
	size_t size;
	unsigned int calls, fail_at; /* 0: never */
};

static int read_copy(void *arg, uint64_t addr, void *buf, size_t size)
{
	struct reading *reading = arg;
	uint64_t off = addr - reading->registers->regs[arch_native()->step->sp];

	if (++reading->calls == reading->fail_at || off > reading->size - size)
		return -ESTALE;
	memcpy(buf, reading->stack + off, size);
	return 0;
}

static void check_same(const struct dwunw_frame *expected, size_t n,
		       const struct dwunw_unwind_request *request)
{
	struct dwunw_unwind_result result = {0};

	memset(frames, 0x55, sizeof(frames));
	CHECK(dwunw_capture(context, request, &result) == 0 && result.stop == DWUNW_STOP_ROOT);
	CHECK(result.n_frames == n && memcmp(frames, expected, n * sizeof(*frames)) == 0);
}

static void check_cut(struct dwunw_unwind_request request, struct reading *reading)
{
	struct dwunw_unwind_result result;

	request.stack_size = 128;
	CHECK(dwunw_capture(context, &request, &result) == 0 && result.stop == DWUNW_STOP_SLICE);
	CHECK(result.address >= request.stack_start + 120 && result.n_frames >= 1);
	request.max_frames = 2;
	request.stack_size = 1 << 14;
	CHECK(dwunw_capture(context, &request, &result) == 0 && result.stop == DWUNW_STOP_DEPTH);
	CHECK(result.n_frames == 2);
	request.max_frames = MAX_FRAMES;
	request.stack = NULL;
	request.stack_size = 0;
	request.read = read_copy;
	request.read_arg = reading;
	reading->calls = 0;
	reading->fail_at = 3;
	CHECK(dwunw_capture(context, &request, &result) == 0 && result.stop == DWUNW_STOP_BAD_READ);
	CHECK(result.detail == -ESTALE && result.n_frames >= 1);
	reading->fail_at = 0;
}

static void test_snapshot(void)
{
	static uint8_t stack[1 << 14];
	struct dwunw_frame expected[MAX_FRAMES];
	struct dwunw_unwind_result result = {0};
	struct dwunw_registers registers;
	pid_t pid = start(sleep_deep, 1);
	size_t size = take_snapshot(pid, &registers, stack, sizeof(stack));
	struct reading reading = {&registers, stack, size, 0, 0};
	struct dwunw_unwind_request request = {
		.size = sizeof(request),
		.pid = pid,
		.registers = &registers,
		.frames = frames,
		.max_frames = MAX_FRAMES,
	};

	CHECK(size > 5000 && capture(pid, 0, &result) == 0 && has_levels(result.n_frames));
	memcpy(expected, frames, sizeof(expected));
	check_same(expected, result.n_frames, &request); /* memory of the live process */
	request.read = read_copy;
	request.read_arg = &reading;
	check_same(expected, result.n_frames, &request);
	CHECK(reading.calls > 3);
	request.stack = stack;
	request.stack_start = registers.regs[arch_native()->step->sp];
	request.stack_size = 64; /* some from here, the rest from there */
	check_same(expected, result.n_frames, &request);
	request.read = NULL;
	request.stack_size = size;
	check_same(expected, result.n_frames, &request);
	check_cut(request, &reading);
	end(pid);
	/* What is remembered of a process outlives it. */
	check_same(expected, result.n_frames, &request);
	dwunw_forget_process(context, pid);
	CHECK(dwunw_capture(context, &request, &result) == -ESRCH);
}

int main(void)
{
	setup();
	test_known_functions();
	test_gdb();
	test_exec();
	test_main_ended();
	test_snapshot();
	dwunw_context_destroy(context);
	return test_end();
}
