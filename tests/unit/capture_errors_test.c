/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves: every kind of bad input to dwunw_capture() and the functions around it gives its documented error, with the result
 * untouched; so do processes that are gone, zombies and kernel threads, and those that one is not permitted to trace.
 */
#include <limits.h>
#include <stddef.h>

#include <dwunw/step_types.h>

#include "arch/arch.h"
#include "../workdir.h"
#include "capture.h"

static int read_nothing(void *arg, uint64_t addr, void *buf, size_t size)
{
	(void)arg, (void)addr, (void)buf, (void)size;
	return -EIO;
}

/* A request that differs from a good one in what `change` says must be refused. */
#define REFUSED(change)                                                                            \
	do {                                                                                       \
		struct dwunw_unwind_request request = good;                                        \
		struct dwunw_unwind_result result = untouched;                                     \
		change;                                                                            \
		CHECK(dwunw_capture(context, &request, &result) == -EINVAL);                       \
		CHECK(memcmp(&result, &untouched, sizeof(result)) == 0);                           \
	} while (0)

static void test_bad_requests(pid_t pid)
{
	const struct dwunw_step_arch *step = arch_native()->step;
	struct dwunw_registers registers = {.valid = 1u << step->sp};
	struct dwunw_unwind_result untouched;
	struct dwunw_unwind_request good = {
		.size = sizeof(good), .pid = pid, .frames = frames, .max_frames = MAX_FRAMES};
	struct {
		struct dwunw_unwind_request request;
		uint64_t newer;
	} longer = {good, 0};

	memset(&untouched, 0xaa, sizeof(untouched));
	REFUSED(request.size = 0);
	REFUSED(request.size = 1 << 20);
	REFUSED(request.size = offsetof(struct dwunw_unwind_request, frames));
	REFUSED(request.pid = 0);
	REFUSED(request.pid = -1);
	REFUSED(request.pid = getpid());
	REFUSED(request.tid = -1);
	REFUSED(request.frames = NULL);
	REFUSED(request.max_frames = 0);
	REFUSED(request.stack = &good);
	REFUSED(request.read = read_nothing);
	REFUSED(request.registers = &registers);
	registers.valid |= 1u << step->fp;
	REFUSED((request.registers = &registers, request.stack_size = 8));
	REFUSED((request.registers = &registers, request.stack = &good));
	REFUSED((request.registers = &registers, request.stack = &good, request.stack_size = 16,
		 request.stack_start = -8));
	CHECK(dwunw_capture(NULL, &good, &untouched) == -EINVAL);
	CHECK(dwunw_capture(context, NULL, &untouched) == -EINVAL);
	CHECK(dwunw_capture(context, &good, NULL) == -EINVAL);
	longer.request.size = sizeof(longer);
	CHECK(dwunw_capture(context, &longer.request, &untouched) == 0);
	longer.newer = 1;
	CHECK(dwunw_capture(context, &longer.request, &untouched) == -EINVAL);
	/* as callers of the first header have it */
	good.size = offsetof(struct dwunw_unwind_request, address_space);
	good.ra_mask = 1;
	CHECK(dwunw_capture(context, &good, &untouched) == 0);
}

static void test_bad_contexts(void)
{
	struct dwunw_context_opts opts = {.size = sizeof(opts), .max_processes = 1};
	struct dwunw_context *saved = context, *unset = NULL;
	struct dwunw_unwind_result result;
	pid_t first = start(sleep_deep, 1), second = start(sleep_deep, 1);

	CHECK(dwunw_context_create(NULL, NULL) == -EINVAL);
	CHECK(dwunw_context_create(&(struct dwunw_context_opts){.size = 0}, &unset) == -EINVAL);
	CHECK(!unset);
	opts.size = offsetof(struct dwunw_context_opts, max_module_bytes);
	opts.max_module_bytes = 1;
	CHECK(dwunw_context_create(&opts, &unset) == 0);
	dwunw_context_destroy(unset);
	opts.size = sizeof(opts);
	opts.max_module_bytes = 0;
	dwunw_context_destroy(NULL);
	CHECK(dwunw_forget_process(NULL, first) == -EINVAL);
	CHECK(dwunw_forget_process(context, 0) == -EINVAL);
	CHECK(dwunw_context_create(&opts, &context) == 0);
	CHECK(capture(first, 0, &result) == 0 && capture(second, 0, &result) == 0);
	CHECK(dwunw_forget_process(context, first) == -ENOENT); /* no room for two */
	CHECK(dwunw_forget_process(context, second) == 0);
	dwunw_context_destroy(context);
	context = saved;
	end(first);
	end(second);
}

static void test_bad_threads(void)
{
	struct dwunw_unwind_result result;
	pid_t pid = start(sleep_deep, 1), other = fork();
	char comm[16] = "";
	FILE *file;

	if (other == 0)
		_exit(0);
	CHECK(reaches_state(other, 'Z'));
	CHECK(capture(other, 0, &result) == -ESRCH);
	waitpid(other, NULL, 0);
	CHECK(capture(other, 0, &result) == -ESRCH);
	CHECK(capture(INT32_MAX, 0, &result) == -ESRCH);
	CHECK(capture(pid, getpid(), &result) == -ESRCH);
	file = fopen("/proc/2/comm", "r");
	if (file && fgets(comm, sizeof(comm), file) && strcmp(comm, "kthreadd\n") == 0)
		CHECK(capture(2, 0, &result) == -ESRCH);
	if (file)
		fclose(file);
	test_bad_requests(pid);
	end(pid);
}

/* Another user's process: as root by way of a child that is nobody. */
static void test_not_permitted(void)
{
	struct dwunw_unwind_result result;
	pid_t target = start(sleep_deep, 1), pid = fork();

	if (pid == 0) {
		if (getuid() == 0 && (setgid(65534) || setuid(65534)))
			_exit(99);
		_exit(-capture(getuid() == 65534 ? target : 1, 0, &result));
	}
	CHECK(wait_exit(pid) == EPERM);
	end(target);
}

/* 32-bit code on a 64-bit kernel, where there are compiler and kernel for it. */
static void test_other_architecture(void)
{
	static const char source[] =
		".globl _start\n_start: mov $29, %eax\nint $0x80\njmp _start\n";
	struct dwunw_unwind_result result;
	pid_t pid;

	workdir_enter();
	write_text("pause.s", source);
	if (system("cc -m32 -nostdlib -static -o pause pause.s 2>/dev/null") == 0) {
		pid = fork();
		if (pid == 0) {
			execl("./pause", "./pause", NULL);
			_exit(99);
		}
		pause_ms(50);
		if (reaches_state(pid, 'S')) {
			CHECK(capture(pid, 0, &result) == -ENOTSUP);
			CHECK(reaches_state(pid, 'S'));
		}
		end(pid);
	}
	workdir_leave();
}

int main(void)
{
	setup();
	test_other_architecture();
	test_bad_threads();
	test_bad_contexts();
	test_not_permitted();
	dwunw_context_destroy(context);
	return test_end();
}
