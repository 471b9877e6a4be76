/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves, for frames that are hard to unwind (docs/verification.md), that dwunw_capture() of a live thread finds the known functions
 * below them, or says why it ends; and that a frame chain that runs in circles, and memory that changes while it is read, end every
 * walk. x86_64.
 */
#ifdef __x86_64__

#include <pthread.h>
#include <sys/syscall.h>

#include <dwunw/step_types.h>

#include "arch/arch.h"
#include "capture.h"
#include "hard_code.h"

static void (*hard)(void (*function)(void));
static struct dwunw_unwind_result result;

static void call_hard(void)
{
	shared->ready++;
	hard(sleep_long);
	__asm__ volatile("" ::: "memory");
}

static void below_hard(void)
{
	innermost = call_hard;
	level_1();
}

/* The frame whose pc is in `function`, or the end of the frames. */
static size_t find_frame(void (*function)(void (*)(void)), const char *end)
{
	size_t i = 0;

	while (i < result.n_frames &&
	       (frames[i].pc <= (uintptr_t)function - 1 || frames[i].pc > (uintptr_t)end))
		i++;
	return i;
}

/* Captures a child in `function`; where its frame is in `frames`. */
static size_t capture_in(void (*function)(void (*)(void)), const char *end_of_function, int ready)
{
	pid_t pid;

	hard = function;
	pid = start(below_hard, ready);
	CHECK(capture(pid, 0, &result) == 0);
	end(pid);
	return find_frame(function, end_of_function);
}

static bool is_whole(void)
{
	return result.stop == DWUNW_STOP_ROOT && has_levels(result.n_frames);
}

#define CAPTURE_CALL(name) capture_in(name, name##_end, 2)
#define CAPTURE_LOOP(name) capture_in(name, name##_end, 1)

static void test_calls(void)
{
	size_t i;

	CAPTURE_CALL(last_call);
	CHECK(is_whole());
	CAPTURE_CALL(hot);
	CHECK(is_whole());
	CAPTURE_CALL(frame_40k);
	CHECK(is_whole());
	i = CAPTURE_CALL(frame_100k);
	CHECK(is_whole() && frames[i].cfa - frames[i].sp == 102400);
	CAPTURE_CALL(calls_cfa_in_r12);
	CHECK(is_whole());
	CAPTURE_CALL(by_frame_pointer);
	CHECK(is_whole());
}

#define LOOPS_WHOLE(name)                                                                          \
	do {                                                                                       \
		CHECK(CAPTURE_LOOP(name) == 0 && is_whole());                                      \
		CHECK(level_of(frames[2].pc) == 3); /* behind call_hard() */                       \
	} while (0)

static void test_loops(void)
{
	LOOPS_WHOLE(loops_cfa_in_rax);
	LOOPS_WHOLE(loops_cfa_in_rsi);
	LOOPS_WHOLE(loops_cfa_in_rbx);
	LOOPS_WHOLE(loops_cfa_in_r12);
	LOOPS_WHOLE(loops_cfa_in_r13);
	LOOPS_WHOLE(loops_cfa_in_r14);
	LOOPS_WHOLE(loops_cfa_in_r15);
	LOOPS_WHOLE(loops_ra_in_rdi);
	LOOPS_WHOLE(loops_plt_11_before);
	LOOPS_WHOLE(loops_plt_11_after);
	LOOPS_WHOLE(loops_plt_10_before);
	LOOPS_WHOLE(loops_plt_10_after);
}

static void test_no_fde(void)
{
	size_t i = CAPTURE_CALL(no_fde);

	CHECK(i < result.n_frames && (frames[i].flags & DWUNW_FRAME_FP) && is_whole());
	i = CAPTURE_CALL(no_fde_no_fp);
	CHECK(i + 1 == result.n_frames && result.stop == DWUNW_STOP_NO_CFI);
	i = CAPTURE_CALL(no_fde_root);
	CHECK(i + 1 == result.n_frames && result.stop == DWUNW_STOP_ROOT);
}

/* As tools do that put program text on huge pages: the file is no longer what is mapped. */
static void remap_and_sleep(void)
{
	uint8_t *page = (uint8_t *)(((uintptr_t)alone + 4095) & ~4095UL);
	void *copy = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memcpy(copy, page, 4096);
	mprotect(copy, 4096, PROT_READ | PROT_EXEC);
	if (mremap(copy, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, page) != page)
		_exit(99);
	innermost = call_hard;
	level_1();
}

static void test_remapped_text(void)
{
	pid_t pid;
	size_t i;

	hard = alone;
	pid = start(remap_and_sleep, 2);
	CHECK(capture(pid, 0, &result) == 0);
	i = find_frame(alone, alone_end);
	CHECK(i < result.n_frames && (frames[i].flags & DWUNW_FRAME_FP) && !frames[i].module);
	CHECK(is_whole());
	end(pid);
}

static void *in_large_stack(void *unused)
{
	shared->tid = (pid_t)syscall(SYS_gettid);
	below_hard();
	return unused;
}

static void large_stack(void)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 4UL << 30);
	if (pthread_create(&thread, &attr, in_large_stack, NULL) == 0)
		pthread_join(thread, NULL);
	_exit(99);
}

/* More than a rule's offset can say. */
static void test_frame_3g(void)
{
	pid_t pid;
	size_t i;

	hard = frame_3g;
	pid = start(large_stack, 2);
	if (shared->ready == 2) { /* else no memory for such a stack */
		CHECK(capture(pid, shared->tid, &result) == 0);
		i = find_frame(frame_3g, frame_3g_end);
		CHECK(is_whole() && frames[i].cfa - frames[i].sp == 0xc0000000);
	}
	end(pid);
}

static void on_fault(int signal)
{
	(void)signal;
	sleep_long();
}

static void call_null(void)
{
	void (*volatile nothing)(void) = NULL;

	signal(SIGSEGV, on_fault);
	nothing();
	__asm__ volatile("" ::: "memory");
}

static void below_null(void)
{
	innermost = call_null;
	level_1();
}

/* The handler's stack goes through the call of address 0; and a stack that begins there. */
static void test_null_call(void)
{
	struct dwunw_registers registers = {.pc = 0, .valid = 0xffff};
	struct dwunw_unwind_request request = {
		.size = sizeof(request),
		.registers = &registers,
		.frames = frames,
		.max_frames = MAX_FRAMES,
	};
	pid_t pid = start(below_null, 1);
	uint64_t caller;
	size_t i = 0;

	CHECK(capture(pid, 0, &result) == 0 && is_whole());
	while (i < result.n_frames && frames[i].pc != 0)
		i++;
	CHECK(i > 0 && i < result.n_frames && frames[i].flags == DWUNW_FRAME_EXACT);
	CHECK(frames[i - 1].flags & DWUNW_FRAME_SIGNAL);
	caller = frames[i].ra;
	request.pid = pid;
	registers.regs[arch_native()->step->sp] = frames[i].sp;
	CHECK(dwunw_capture(context, &request, &result) == 0 && is_whole());
	CHECK(frames[0].pc == 0 && frames[1].pc == caller && level_of(frames[2].pc) == 3);
	end(pid);
}

static void read_clock(void)
{
	struct timespec t;

	shared->ready++;
	for (;;)
		clock_gettime(CLOCK_MONOTONIC, &t);
}

static void below_clock(void)
{
	innermost = read_clock;
	level_1();
}

static void test_vdso(void)
{
	pid_t pid = start(below_clock, 1);
	int in_vdso = 0;

	for (int i = 0; i < 2000 && in_vdso < 20; i++) {
		if (capture(pid, 0, &result) || !frames[0].module ||
		    strcmp(frames[0].module, "[vdso]") != 0)
			continue;
		in_vdso++;
		CHECK(is_whole());
	}
	CHECK(in_vdso > 0);
	end(pid);
}

#define DEPTH 3000

static __attribute__((noinline)) int recurse(int depth)
{
	int below = 0;

	if (depth)
		below = recurse(depth - 1);
	else
		sleep_long();
	__asm__ volatile("" : "+r"(below));
	return below + 1;
}

static void below_recursion(void)
{
	recurse(DEPTH);
}

static void test_deep(void)
{
	static struct dwunw_frame deep[DEPTH + 100];
	struct dwunw_unwind_request request = {
		.size = sizeof(request), .frames = deep, .max_frames = DEPTH + 100};
	size_t in_recursion = 0;
	pid_t pid = start(below_recursion, 1);

	request.pid = pid;
	CHECK(dwunw_capture(context, &request, &result) == 0 && result.stop == DWUNW_STOP_ROOT);
	for (size_t i = 0; i < result.n_frames; i++)
		in_recursion +=
			deep[i].pc >= (uintptr_t)recurse && deep[i].pc < (uintptr_t)recurse + 200;
	CHECK(in_recursion == DEPTH + 1);
	request.max_frames = 2000;
	CHECK(dwunw_capture(context, &request, &result) == 0 && result.stop == DWUNW_STOP_DEPTH);
	CHECK(result.n_frames == 2000);
	end(pid);
}

#define CHAIN 0x100000 /* frames of by_frame_pointer() that are read, and are nowhere */

/* n frames that point to one another in a circle. */
static int read_circle(void *arg, uint64_t addr, void *buf, size_t size)
{
	uint64_t n = *(const uint64_t *)arg, i = (addr - CHAIN) / 16 % n;
	uint64_t word = (addr & 8) ? (uintptr_t)in_by_frame_pointer : CHAIN + (i + 1) % n * 16;

	memcpy(buf, &word, size);
	return 0;
}

/* Another word each time, wherever it is read. */
static int read_changing(void *arg, uint64_t addr, void *buf, size_t size)
{
	uint64_t *random = arg, word;

	*random = *random * 6364136223846793005ULL + 1442695040888963407ULL;
	switch (*random >> 60) {
	case 0:
		return -EFAULT;
	case 1:
		word = *random;
		break;
	case 2:
	case 3:
	case 4:
		word = addr + (*random >> 33) % 256;
		break;
	case 5:
		word = (uintptr_t)level_2 + (*random >> 33) % 64;
		break;
	default:
		word = (uintptr_t)in_by_frame_pointer;
	}
	memcpy(buf, &word, size);
	return 0;
}

static void test_hostile_memory(void)
{
	const struct dwunw_step_arch *step = arch_native()->step;
	struct dwunw_registers registers = {.pc = (uintptr_t)in_by_frame_pointer, .valid = 0xffff};
	uint64_t n = 1, random = 1;
	struct dwunw_unwind_request request = {
		.size = sizeof(request),
		.registers = &registers,
		.read = read_circle,
		.read_arg = &n,
		.frames = frames,
		.max_frames = MAX_FRAMES,
	};
	pid_t pid = start(sleep_deep, 1);
	size_t longest = 0;

	request.pid = pid;
	registers.regs[step->fp] = registers.regs[step->sp] = CHAIN;
	CHECK(dwunw_capture(context, &request, &result) == 0);
	CHECK(result.stop == DWUNW_STOP_NO_PROGRESS && result.n_frames <= 2);
	for (n = 2; n < 5; n++) {
		CHECK(dwunw_capture(context, &request, &result) == 0);
		CHECK(result.stop == DWUNW_STOP_DEPTH && result.n_frames == MAX_FRAMES);
	}
	request.read = read_changing;
	request.read_arg = &random;
	for (int i = 0; i < 20000; i++) {
		if (dwunw_capture(context, &request, &result) || result.n_frames > MAX_FRAMES)
			break;
		longest = result.n_frames > longest ? result.n_frames : longest;
		test_passed += i == 19999;
	}
	CHECK(longest > 10);
	end(pid);
}

int main(void)
{
	setup();
	test_calls();
	test_loops();
	test_no_fde();
	test_remapped_text();
	test_frame_3g();
	test_null_call();
	test_vdso();
	test_deep();
	test_hostile_memory();
	dwunw_context_destroy(context);
	return test_end();
}

#else

#include "../test.h"

int main(void)
{
	return test_end();
}

#endif
