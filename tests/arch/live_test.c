/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves, on the machine that it runs on (an emulated one, for most), that src/unwind finds the true stack of this very
 * process, C library included, over the call frame information in its memory. What is true: a shadow stack that functions
 * keep by themselves, and what libgcc's unwinder finds, of whose code and descriptors nothing is in ours:
 *   - at a call, under recursion, alloca, variable arguments, many saved registers, and callbacks of the C library;
 *   - in a leaf function that a signal interrupts, whose return address is in the link register;
 *   - wherever a timer interrupts a workload; and from the signal handlers through the kernel's frame;
 *   - where return addresses are signed, with the mask that the kernel would tell; with one that leaves the signatures it is cut.
 */
#include <alloca.h>
#include <elf.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <unwind.h>

#include <dwunw/step_types.h>

#include "arch/arch.h"
#include "live_process.h"
#include "live_work.h"
#include "unwind/unwind.h"
#include "../test.h"

#define MAX_FRAMES 256

/* --- stacks -------------------------------------------------------------------------------------- */

struct stack {
	size_t n;
	struct dwunw_frame frames[MAX_FRAMES];
	int stop;
};

static uint64_t ra_mask; /* 0: that of the architecture */

static void unwind(const struct dwunw_registers *registers, struct stack *ret)
{
	struct unwind_snapshot snapshot = {
		.process = &process, .registers = registers, .read = read_self, .ra_mask = ra_mask};
	struct dwunw_unwind_result result;

	unwind_snapshot(&snapshot, 0, MAX_FRAMES, ret->frames, &result);
	ret->n = result.n_frames;
	ret->stop = result.stop;
}

static void unwind_context(const void *context, struct stack *ret)
{
	struct dwunw_registers registers;

	dwunw_registers_from_context(context, &registers);
	unwind(&registers, ret);
}

/* What libgcc finds. */
struct theirs {
	size_t n;
	uint64_t pcs[MAX_FRAMES];
};

static _Unwind_Reason_Code on_frame(struct _Unwind_Context *context, void *arg)
{
	struct theirs *theirs = arg;

	if (theirs->n == MAX_FRAMES)
		return _URC_END_OF_STACK;
	theirs->pcs[theirs->n++] = _Unwind_GetIP(context);
	return _URC_NO_REASON;
}

/* libgcc's pc for ours. On mips it makes that of an interrupted frame larger by 2, so that its pc - 1 is in the instruction. */
static bool same_pc(uint64_t ours, uint64_t theirs, bool exact)
{
	return ours == theirs || (exact && arch_native()->machine == EM_MIPS && ours + 2 == theirs);
}

static unsigned int n_guesses;

/*
 * libgcc ends at a frame without CFI, the last of its `n`. Ours tries the frame pointer, and says so; where that was no more
 * than a register, what is above is nothing.
 */
static bool goes_on_by_frame_pointer(const struct stack *ours, size_t n)
{
	return n > 0 && ours->n > n && (ours->frames[n - 1].flags & DWUNW_FRAME_FP);
}

/* From our frame `from` on; libgcc's list has frames before it, of which ours knows nothing. */
static bool same_as_libgcc(const struct stack *ours, size_t from, const char *what)
{
	const struct dwunw_frame *frames = ours->frames;
	static struct theirs theirs;
	size_t first = 0, n;

	theirs.n = 0;
	_Unwind_Backtrace(on_frame, &theirs);
	while (first < theirs.n && !same_pc(frames[from].pc, theirs.pcs[first], from == 0))
		first++;
	n = theirs.n - first + from;
	first -= from;
	/* the frame that libgcc gives for "no caller" has pc 0 */
	while (n > from && theirs.pcs[first + n - 1] == 0)
		n--;
	for (size_t i = from; i < n && i < ours->n; i++) {
		if (same_pc(frames[i].pc, theirs.pcs[first + i], i == 0))
			continue;
		fprintf(stderr, "%s: frame %zu: %#llx, libgcc: %#llx\n", what, i,
			(long long)frames[i].pc, (long long)theirs.pcs[first + i]);
		return false;
	}
	if (goes_on_by_frame_pointer(ours, n)) {
		n_guesses++;
		return true;
	}
	if (ours->n != n)
		fprintf(stderr, "%s: %zu frames (%s), libgcc: %zu, at pc %#llx\n", what, ours->n,
			dwunw_stop_reason_text(ours->stop), n, (long long)frames[ours->n - 1].pc);
	return ours->n == n;
}

/* --- at calls ------------------------------------------------------------------------------------ */

/* Functions of the workload: where they return to, and their CFA. */
static struct {
	uint64_t ra, cfa;
} shadow[MAX_FRAMES];
static volatile size_t n_shadow;

#define ENTER()                                                                                    \
	do {                                                                                       \
		shadow[n_shadow].ra =                                                              \
			(uintptr_t)__builtin_extract_return_addr(__builtin_return_address(0));     \
		shadow[n_shadow].cfa = (uintptr_t)__builtin_dwarf_cfa();                           \
		n_shadow++;                                                                        \
	} while (0)
#define LEAVE() (n_shadow--)

/* Every function of the shadow stack is there, with its CFA and return address, in this order. */
static bool same_as_shadow(const struct stack *ours)
{
	size_t at = n_shadow;

	for (size_t i = 0; i < ours->n && at > 0; i++) {
		if (ours->frames[i].cfa == shadow[at - 1].cfa &&
		    ours->frames[i].ra == shadow[at - 1].ra)
			at--;
	}
	if (at)
		fprintf(stderr, "not found: return address %#llx, CFA %#llx\n",
			(long long)shadow[at - 1].ra, (long long)shadow[at - 1].cfa);
	return at == 0;
}

static unsigned int n_calls, bad_calls;
static struct stack stack;

static __attribute__((noinline)) void look(void)
{
	struct dwunw_registers registers;

	ENTER();
	dwunw_get_registers(&registers);
	unwind(&registers, &stack);
	n_calls++;
	if (!same_as_shadow(&stack) || !same_as_libgcc(&stack, 1, "call"))
		bad_calls++;
	LEAVE();
}

static __attribute__((noinline)) long recurse(long depth)
{
	long result;

	ENTER();
	if (depth == 0)
		look();
	result = depth ? recurse(depth - 1) + depth : 0;
	LEAVE();
	return result;
}

static __attribute__((noinline)) void with_alloca(size_t size)
{
	char *buffer;

	ENTER();
	buffer = alloca(size);
	memset(buffer, 1, size);
	look();
	__asm__ volatile("" : : "r"(buffer) : "memory");
	LEAVE();
}

static __attribute__((noinline)) long with_arguments(int n, ...)
{
	va_list args;
	long sum = 0;

	ENTER();
	va_start(args, n);
	while (n--)
		sum += va_arg(args, long);
	va_end(args);
	look();
	LEAVE();
	return sum;
}

static __attribute__((noinline)) long with_registers(const volatile long *v)
{
	long a = v[0], b = v[1], c = v[2], d = v[3], e = v[4], f = v[5], g = v[6], h = v[7];
	long i = v[8], j = v[9], k = v[10], l = v[11];

	ENTER();
	look();
	LEAVE();
	return a ^ b ^ c ^ d ^ e ^ f ^ g ^ h ^ i ^ j ^ k ^ l;
}

static __attribute__((noinline)) void with_large_frame(void)
{
	char buffer[200000];

	ENTER();
	__asm__ volatile("" : : "r"(buffer) : "memory");
	look();
	__asm__ volatile("" : : "r"(buffer) : "memory");
	LEAVE();
}

static int compare(const void *a, const void *b)
{
	ENTER();
	look();
	LEAVE();
	return *(const int *)a - *(const int *)b;
}

static void test_calls(void)
{
	static const volatile long values[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
	int numbers[] = {5, 3, 9, 1, 7};

	ENTER();
	recurse(0);
	recurse(20);
	for (size_t size = 1; size < 100000; size *= 7)
		with_alloca(size);
	with_arguments(9, 1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L);
	with_registers(values);
	with_large_frame();
	qsort(numbers, 5, sizeof(numbers[0]), compare);
	LEAVE();
	CHECK(n_calls >= 15);
	CHECK(bad_calls == 0);
}

#ifdef __ARM_FEATURE_PAC_DEFAULT
static __attribute__((noinline)) int stop_with_mask(unsigned int depth, uint64_t mask)
{
	volatile int stop;
	struct dwunw_registers registers;

	if (depth)
		return (stop = stop_with_mask(depth - 1, mask));
	ra_mask = mask;
	dwunw_get_registers(&registers);
	unwind(&registers, &stack);
	ra_mask = 0;
	stop = stack.stop;
	return stop;
}

/* As Linux has it for addresses of 48 bits: GENMASK(54, 48), asm/pointer_auth.h. */
#define PAC_MASK_48 0x007f000000000000

static void test_mask(void)
{
	int usual = stop_with_mask(4, 0);

	CHECK(stop_with_mask(4, PAC_MASK_48) == usual && usual != DWUNW_STOP_NO_MAPPING);
	CHECK(stop_with_mask(4, 1ULL << 63) == DWUNW_STOP_NO_MAPPING);
	ra_mask = PAC_MASK_48;
	recurse(10);
	ra_mask = 0;
	CHECK(bad_calls == 0);
}
#else
static void test_mask(void)
{
}
#endif

/* --- under signals ------------------------------------------------------------------------------- */

#define N_LEAVES 11

static unsigned int n_signals, bad_signals, n_leaves, bad_leaves;
static unsigned int ended[DWUNW_N_STOP_REASONS];
static volatile long *page;

/* No frame of its own: where the page cannot be read, the signal comes when the return address is in the link register. */
static __attribute__((noinline)) long leaf(void)
{
	return *page + 1;
}

/*
 * From inside the handler, through what it returns to, up to the interrupted function, and from there on as if from that.
 */
static __attribute__((noinline)) bool same_from_handler(void)
{
	static struct stack from_here;
	volatile size_t first = 0;
	struct dwunw_registers registers;

	dwunw_get_registers(&registers);
	unwind(&registers, &from_here);
	while (first < from_here.n &&
	       (first == 0 || !(from_here.frames[first - 1].flags & DWUNW_FRAME_SIGNAL)))
		first++;
	if (from_here.n - first != stack.n || from_here.stop != stack.stop) {
		fprintf(stderr, "from the handler: %zu frames (%s) after %zu, not %zu\n",
			from_here.n - first, dwunw_stop_reason_text(from_here.stop), first,
			stack.n);
		return false;
	}
	for (size_t i = 0; i < stack.n; i++) {
		if (from_here.frames[first + i].pc != stack.frames[i].pc ||
		    from_here.frames[first + i].cfa != stack.frames[i].cfa)
			return false;
	}
	return true;
}

static void on_fault(int sig, siginfo_t *info, void *context)
{
	uintptr_t start = (uintptr_t)leaf;

	(void)sig;
	(void)info;
	/* Not leaf() but libgcc, which reads the instructions where it finds no CFI: it would go on for ever. */
	if (n_leaves == N_LEAVES)
		_exit(1);
	unwind_context(context, &stack);
	n_leaves++;
	if (stack.frames[0].pc < start || stack.frames[0].pc > start + 64 ||
	    stack.frames[1].cfa != shadow[n_shadow - 1].cfa || !same_as_shadow(&stack) ||
	    !same_as_libgcc(&stack, 0, "leaf") || !same_from_handler())
		bad_leaves++;
	mprotect((void *)page, 4096, PROT_READ);
}

static __attribute__((noinline)) long calls_leaf(long depth)
{
	long result;

	ENTER();
	mprotect((void *)page, 4096, PROT_NONE);
	result = leaf() + (depth ? calls_leaf(depth - 1) : 0);
	LEAVE();
	return result;
}

static void handle(int sig, void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};

	CHECK(sigaction(sig, &action, NULL) == 0);
}

static void test_leaf(void)
{
	page = mmap(NULL, 65536, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(page != MAP_FAILED);
	handle(SIGSEGV, on_fault);
	calls_leaf(N_LEAVES - 1);
	CHECK(n_leaves == N_LEAVES);
	CHECK(bad_leaves == 0);
}

#define MAX_SIGNALS 800

/* Once, so that however slow the handler is the workload goes on. */
static void start_timer(void)
{
	struct itimerval timer = {{0, 0}, {0, 2000}};

	setitimer(ITIMER_REAL, &timer, NULL);
}

static void on_timer(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	unwind_context(context, &stack);
	n_signals++;
	ended[stack.stop]++;
	if (!same_as_libgcc(&stack, 0, "timer") || !same_from_handler())
		bad_signals++;
	if (n_signals < MAX_SIGNALS)
		start_timer();
}

/* A signal 2 ms after the one before, MAX_SIGNALS of them or as many as come in `seconds`. */
static void test_anywhere(unsigned int seconds)
{
	time_t end = time(NULL) + seconds;
	unsigned int sum = 0;

	handle(SIGALRM, on_timer);
	start_timer();
	for (unsigned int round = 0; time(NULL) < end && n_signals < MAX_SIGNALS; round++)
		sum += work(round);
	signal(SIGALRM, SIG_IGN);
	CHECK(sum != 0);
	CHECK(n_signals > 20);
	CHECK(bad_signals == 0);
	printf("%u stacks from a timer", n_signals);
	for (unsigned int i = 0; i < DWUNW_N_STOP_REASONS; i++) {
		if (ended[i])
			printf(", %u: %s", ended[i], dwunw_stop_reason_text(i));
	}
	printf(", %u go on by frame pointer where libgcc ends\n", n_guesses);
}

int main(void)
{
	live_process_open();
	test_calls();
	test_mask();
	test_leaf();
	test_anywhere(6);
	return test_end();
}
