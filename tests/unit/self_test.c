/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves, for stacks that a process takes of itself: they are what glibc's backtrace() finds, from a call and from a
 * signal handler on a small alternate stack, through it too; nothing is allocated, errno stays, and the stack that it takes is
 * what the header says; threads go on while another loads and unloads plugins and refreshes; rules that were packed into a word are the rules of
 * the table; registers that are nonsense end the walk, not the process.
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <dwunw/dwunw.h>

#include "arch/arch.h"
#include "cfi/cfi.h"
#include "elf/elf_file.h"
#include "process/process.h"
#include "table/table.h"
#include "unwind/table_view.h"
#include "unwind/unwind.h"
#include "dwunw_arch.h"
#include "../test.h"

#define MAX_FRAMES 128
#define FRAME __attribute__((noinline))
#define NO_TAIL_CALL() __asm__ volatile("" ::: "memory")

static struct dwunw_self *self;
static struct dwunw_frame frames[MAX_FRAMES];
static struct dwunw_unwind_result result;
static void *theirs[MAX_FRAMES];
static size_t n_theirs;

static void capture_context(const void *context)
{
	struct dwunw_registers registers;

	dwunw_registers_from_context(context, &registers);
	if (dwunw_self_capture(self, &registers, frames, MAX_FRAMES, &result))
		abort();
}

/* Both begin in this function, at different addresses of it. */
static FRAME void capture_here(void)
{
	struct dwunw_registers registers;

	n_theirs = (size_t)backtrace(theirs, MAX_FRAMES);
	dwunw_get_registers(&registers);
	if (dwunw_self_capture(self, &registers, frames, MAX_FRAMES, &result))
		abort();
}

/* Frames from `from` on are the end of what backtrace() found, whose first are its own. */
static bool same_as_theirs(size_t from)
{
	size_t n = result.n_frames - from;

	if (result.stop != DWUNW_STOP_ROOT || n > n_theirs || n + 4 < n_theirs)
		return false;
	for (size_t i = 0; i < n; i++)
		if (frames[from + i].pc != (uintptr_t)theirs[n_theirs - n + i])
			return false;
	return true;
}

static FRAME void down(unsigned int depth, void (*fn)(void))
{
	volatile char local[24];

	local[0] = 1;
	(void)local[0];
	if (depth)
		down(depth - 1, fn);
	else
		fn();
	NO_TAIL_CALL();
}

static FRAME void with_vla(unsigned int depth, void (*fn)(void))
{
	volatile char local[depth * 40];

	local[0] = 1;
	(void)local[0];
	down(depth, fn);
	NO_TAIL_CALL();
}

static void test_call(void)
{
	for (unsigned int depth = 1; depth < 60; depth += 7) {
		/* the second time every rule is known */
		for (unsigned int time = 0; time < 2; time++) {
			with_vla(depth, capture_here);
			CHECK(same_as_theirs(1));
			CHECK(result.n_frames > depth + 4);
			CHECK(frames[0].flags == DWUNW_FRAME_EXACT && frames[1].flags == 0);
			CHECK(frames[0].module && strstr(frames[0].module, "/self_test"));
			CHECK(frames[0].module_id && frames[0].vaddr && frames[0].vaddr < 1 << 24);
			CHECK(frames[0].ra == frames[1].pc && frames[0].cfa == frames[1].sp);
		}
	}
}

static bool from_inside;
static int errno_after;

static void on_signal(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info;
	n_theirs = (size_t)backtrace(theirs, MAX_FRAMES);
	errno = ENOTTY;
	if (from_inside)
		capture_here();
	else
		capture_context(context);
	errno_after = errno;
}

static void raise_it(void)
{
	raise(SIGUSR1);
	NO_TAIL_CALL();
}

#define ALTERNATE_STACK (64 << 10) /* for backtrace(); ours: test_needs() */

static void test_signal(void)
{
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	stack_t stack = {.ss_sp = malloc(ALTERNATE_STACK), .ss_size = ALTERNATE_STACK};

	CHECK(sigaltstack(&stack, NULL) == 0 && sigaction(SIGUSR1, &action, NULL) == 0);
	with_vla(9, raise_it);
	CHECK(same_as_theirs(0));
	CHECK(errno_after == ENOTTY);
	from_inside = true;
	with_vla(9, raise_it);
	CHECK(result.stop == DWUNW_STOP_ROOT);
	CHECK(same_as_theirs(1));
	CHECK(frames[2].flags & DWUNW_FRAME_SIGNAL);
	CHECK(frames[3].flags & DWUNW_FRAME_EXACT);
	stack.ss_flags = SS_DISABLE;
	sigaltstack(&stack, NULL);
	free(stack.ss_sp);
}

/* --- what it takes ---------------------------------------------------------------------------- */

#ifndef __SANITIZE_ADDRESS__
static bool counting;
static unsigned int n_allocations;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);

void *malloc(size_t size)
{
	n_allocations += counting;
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	n_allocations += counting;
	return __libc_calloc(n, size);
}

#define SMALL_STACK (64 << 10)
#define PAINT 0xa5

static ucontext_t main_context;

static void capture_only(void)
{
	struct dwunw_registers registers;

	dwunw_get_registers(&registers);
	dwunw_self_capture(self, &registers, frames, MAX_FRAMES, &result);
}

/* On a stack painted before: how much of it was written to. */
static size_t stack_use(void (*fn)(void))
{
	unsigned char *stack = malloc(SMALL_STACK);
	ucontext_t context;
	size_t untouched = 0;

	memset(stack, PAINT, SMALL_STACK);
	getcontext(&context);
	context.uc_stack.ss_sp = stack;
	context.uc_stack.ss_size = SMALL_STACK;
	context.uc_link = &main_context;
	makecontext(&context, fn, 0);
	swapcontext(&main_context, &context);
	while (untouched < SMALL_STACK && stack[untouched] == PAINT)
		untouched++;
	free(stack);
	return SMALL_STACK - untouched;
}

static void test_needs(void)
{
	size_t used;

	counting = true;
	with_vla(20, capture_only);
	counting = false;
	CHECK(n_allocations == 0);
	/* again with nothing remembered, so that the tables are searched */
	CHECK(dwunw_self_refresh(self) == 0);
	used = stack_use(capture_only);
	CHECK(result.stop == DWUNW_STOP_ROOT);
	CHECK(used < 4096);
	printf("stack: %zu bytes\n", used);
}
#else
static void test_needs(void)
{
}
#endif

/* --- threads ------------------------------------------------------------------------------------- */

#define N_THREADS 4
#define N_REFRESHES 100

static atomic_bool stop_threads;
static atomic_uint n_captures, n_bad;

static FRAME void capture_in_thread(unsigned int depth)
{
	struct dwunw_frame mine[MAX_FRAMES];
	struct dwunw_registers registers;
	struct dwunw_unwind_result ended;

	if (depth) {
		capture_in_thread(depth - 1);
		NO_TAIL_CALL();
		return;
	}
	dwunw_get_registers(&registers);
	n_captures++;
	if (dwunw_self_capture(self, &registers, mine, MAX_FRAMES, &ended) ||
	    ended.stop != DWUNW_STOP_ROOT || ended.n_frames < 4 ||
	    !strstr(mine[0].module, "/self_test"))
		n_bad++;
}

static void *captures(void *unused)
{
	for (unsigned int i = 0; !stop_threads; i++)
		capture_in_thread(i % 20);
	return unused;
}

static void test_threads(void)
{
	pthread_t threads[N_THREADS];

	for (unsigned int i = 0; i < N_THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, captures, NULL) == 0);
	for (unsigned int i = 0; i < N_REFRESHES; i++) {
		void *plugin = dlopen("libz.so.1", RTLD_NOW);

		CHECK(plugin && dwunw_self_refresh(self) == 0);
		dlclose(plugin);
		CHECK(dwunw_self_refresh(self) == 0);
	}
	stop_threads = true;
	for (unsigned int i = 0; i < N_THREADS; i++)
		pthread_join(threads[i], NULL);
	CHECK(n_captures > N_REFRESHES && n_bad == 0);
}

static void test_new_plugin(void)
{
	void *plugin = dlopen("libbz2.so.1.0", RTLD_NOW);
	struct dwunw_registers registers;

	if (!plugin)
		return;
	dwunw_get_registers(&registers);
	registers.pc = (uintptr_t)dlsym(plugin, "BZ2_bzCompress");
	CHECK(dwunw_self_capture(self, &registers, frames, MAX_FRAMES, &result) == 0);
	CHECK(result.stop == DWUNW_STOP_NO_MAPPING && result.n_frames == 1);
	CHECK(dwunw_self_refresh(self) == 0);
	CHECK(dwunw_self_capture(self, &registers, frames, MAX_FRAMES, &result) == 0);
	CHECK(frames[0].module && strstr(frames[0].module, "libbz2"));
	dlclose(plugin);
}

/* --- nonsense -------------------------------------------------------------------------------------- */

static void test_bad_arguments(void)
{
	struct dwunw_registers registers;
	struct dwunw_unwind_result untouched = {.n_frames = 77};

	dwunw_get_registers(&registers);
	CHECK(dwunw_self_create(NULL) == -EINVAL);
	CHECK(dwunw_self_refresh(NULL) == -EINVAL);
	dwunw_self_destroy(NULL);
	CHECK(dwunw_self_capture(NULL, &registers, frames, 1, &untouched) == -EINVAL);
	CHECK(dwunw_self_capture(self, NULL, frames, 1, &untouched) == -EINVAL);
	CHECK(dwunw_self_capture(self, &registers, NULL, 1, &untouched) == -EINVAL);
	CHECK(dwunw_self_capture(self, &registers, frames, 0, &untouched) == -EINVAL);
	CHECK(dwunw_self_capture(self, &registers, frames, 1, NULL) == -EINVAL);
	registers.valid &= ~(1u << DWUNW_ARCH_NATIVE.sp);
	CHECK(dwunw_self_capture(self, &registers, frames, 1, &untouched) == -EINVAL);
	CHECK(untouched.n_frames == 77);
}

static void test_few_frames(void)
{
	struct dwunw_registers registers;

	dwunw_get_registers(&registers);
	frames[2].pc = 1;
	CHECK(dwunw_self_capture(self, &registers, frames, 2, &result) == 0);
	CHECK(result.stop == DWUNW_STOP_DEPTH && result.n_frames == 2 && frames[2].pc == 1);
}

/* Stack pointers into nothing, guard pages, the end of the address space; frame pointers anywhere. */
static void test_bad_registers(void)
{
	uint8_t *guarded =
		mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t bad[] = {0,
			  1,
			  7,
			  4095,
			  4096,
			  -1ULL,
			  -8ULL,
			  1ULL << 63,
			  0,
			  0,
			  1 << 20,
			  (uintptr_t)&bad,
			  0xffff800000000000};
	struct dwunw_registers good, registers;
	unsigned int n = sizeof(bad) / sizeof(bad[0]);

	mprotect(guarded + 4096, 4096, PROT_NONE);
	bad[8] = (uintptr_t)guarded + 4096 - 8;
	bad[9] = (uintptr_t)guarded + 4096 - 4;
	dwunw_get_registers(&good);
	for (unsigned int i = 0; i < n * n; i++) {
		registers = good;
		registers.regs[DWUNW_ARCH_NATIVE.sp] = bad[i / n];
		registers.regs[DWUNW_ARCH_NATIVE.fp] = bad[i % n];
		CHECK(dwunw_self_capture(self, &registers, frames, MAX_FRAMES, &result) == 0);
		CHECK(result.n_frames >= 1);
		registers = good;
		registers.pc = bad[i / n];
		registers.regs[DWUNW_ARCH_NATIVE.fp] = bad[i % n];
		CHECK(dwunw_self_capture(self, &registers, frames, MAX_FRAMES, &result) == 0);
	}
	munmap(guarded, 3 * 4096);
}

/* --- packed rules ---------------------------------------------------------------------------------- */

static bool same_step(const struct dwunw_frame_rule *a, const struct dwunw_frame_rule *b)
{
	if (a->ra_kind == DWUNW_RULE_UNDEFINED)
		return b->ra_kind == DWUNW_RULE_UNDEFINED;
	return !a->flags && a->cfa_kind == b->cfa_kind && a->cfa_reg == b->cfa_reg &&
	       a->cfa_off == b->cfa_off && a->ra_kind == b->ra_kind && a->ra_off == b->ra_off &&
	       a->fp_kind == b->fp_kind &&
	       (a->fp_kind == DWUNW_RULE_SAME || a->fp_off == b->fp_off);
}

static void test_packed(void)
{
	static struct table_view view;
	unsigned int n_packed = 0, n_rules = 0, n_wrong = 0;
	struct module_cache *cache;
	struct process *process;

	if (module_cache_create(0, &cache) || process_open(cache, getpid(), &process))
		abort();
	for (size_t i = 0; i < process->n_mappings; i++) {
		struct module *module = process->mappings[i].module;
		const struct dwunw_rule *rules;
		const struct table *table;

		if (!module || module_table(module, &table))
			continue;
		rules = (const void *)((const char *)table->header + table->header->rules);
		for (unsigned int r = 1; r < table->header->n_rules; r++) {
			union packed_rule packed;
			struct dwunw_frame_rule unpacked;

			n_rules++;
			table_view_keep(&view, n_rules, i, &rules[r].frame);
			if (!table_view_find(&view, n_rules, &packed))
				continue;
			n_packed++;
			unpacked = packed_rule_unpack(packed, &DWUNW_ARCH_NATIVE);
			n_wrong += packed.mapping != i || !same_step(&rules[r].frame, &unpacked);
		}
	}
	printf("packed: %u of %u rules\n", n_packed, n_rules);
	CHECK(n_wrong == 0 && n_packed > n_rules / 2);
	process_close(cache, process);
	module_cache_destroy(cache);
}

/* Offsets that do not fit, or not in whole words, are not kept. */
static void test_not_packed(void)
{
	static struct table_view view;
	const struct dwunw_frame_rule good = {
		.cfa_kind = DWUNW_RULE_REG_PLUS,
		.cfa_reg = DWUNW_ARCH_NATIVE.sp,
		.cfa_off = 16,
		.ra_kind = DWUNW_RULE_CFA_AT,
		.ra_off = -8,
		.fp_kind = DWUNW_RULE_SAME,
	};
	struct dwunw_frame_rule bad[8];
	union packed_rule packed;

	table_view_keep(&view, 0x1000, 1 << 14, &good);
	CHECK(!table_view_find(&view, 0x1000, &packed));
	for (unsigned int i = 0; i < 8; i++)
		bad[i] = good;
	bad[0].cfa_off = 8 << 19;
	bad[1].cfa_off = 12 + 1;
	bad[2].cfa_off = -8;
	bad[3].ra_off = -(8 << 14);
	bad[4].fp_kind = DWUNW_RULE_CFA_AT, bad[4].fp_off = 8 << 14;
	bad[5].flags = DWUNW_RULE_SIGNAL;
	bad[6].cfa_kind = DWUNW_RULE_PLT;
	bad[7].cfa_reg = 0;
	for (unsigned int i = 0; i < 8; i++) {
		table_view_keep(&view, 0x1000, 1, &bad[i]);
		CHECK(!table_view_find(&view, 0x1000, &packed));
	}
	table_view_keep(&view, 0x1000, 1, &good);
	CHECK(table_view_find(&view, 0x1000, &packed) && packed.mapping == 1);
	CHECK(!table_view_find(&view, 0x1001, &packed));
}

int main(void)
{
	CHECK(dwunw_self_create(&self) == 0);
	test_call();
	test_signal();
	test_needs();
	test_threads();
	test_new_plugin();
	test_bad_arguments();
	test_few_frames();
	test_bad_registers();
	test_packed();
	test_not_packed();
	dwunw_self_destroy(self);
	return test_end();
}
