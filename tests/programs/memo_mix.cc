/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memo_mix CALLS THREADS [EXECS]: stacks that are alike but not the same, for what remembers parts of them. Each thread makes so many calls of malloc
 * from random places: recursion, alloca, realigned frames, coroutines, signal handlers on both kinds of stack, after longjmp, out of
 * exceptions, in plugins that follow each other at the same addresses, and frames at the same place as others were, with
 * old return addresses left below them. Then it calls exec on itself, EXECS times. It begins at a line of its standard input.
 */
#include <alloca.h>
#include <csetjmp>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <libgen.h>
#include <pthread.h>
#include <ucontext.h>
#include <unistd.h>

#define FRAME __attribute__((noinline))
#define NO_TAIL_CALL() __asm__ volatile("" ::: "memory")

namespace
{

enum { COROUTINES = 3, STACK = 128 << 10, ALTERNATE = 64 << 10, DEEPEST = 24, SHIFT = 2048 };

struct thread {
	uint64_t random;
	long calls;
	bool first;
	uintptr_t shift_to;
	int current; /* coroutine; COROUTINES: none */
	ucontext_t main, coroutines[COROUTINES];
	char *stacks[COROUTINES];
	jmp_buf jump;
};

__thread thread *self;
const char *argv0;

void keep(void *address)
{
	__asm__ volatile("" : : "r"(address) : "memory");
}

unsigned int draw(unsigned int n)
{
	self->random = self->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned int)(self->random >> 33) % n;
}

void walk(int depth);

FRAME void leaf()
{
	if (draw(2)) {
		void *block = malloc(8 + draw(100));

		keep(block);
		free(block);
		self->calls--;
	}
	void *block = malloc(24);

	keep(block);
	free(block);
	self->calls--;
	NO_TAIL_CALL();
}

/* Uses the frame pointer's register for something else. */
FRAME void busy(int depth)
{
	unsigned long a = draw(9), b = draw(9), c = draw(9), d = draw(9), e = draw(9), f = draw(9);

	walk(depth - 1);
	__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f));
	leaf();
	__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f));
}

FRAME void variable(int depth)
{
	char *scratch = (char *)alloca(1 + draw(300) * (draw(8) ? 1 : 20));

	keep(scratch);
	walk(depth - 1);
	keep(scratch);
}

FRAME void realigned(int depth)
{
	volatile double aligned[8] __attribute__((aligned(64)));
	char *scratch = (char *)alloca(depth * 24 + 1);

	aligned[0] = depth;
	keep(scratch);
	walk(depth - 1);
	aligned[1] = aligned[0];
}

/*
 * To one and the same stack pointer from any depth, by one call instruction: then the old return addresses are still there, in memory that is not
 * written to, and only the frame pointer tells one depth from another.
 */
FRAME void shifted(unsigned int)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	keep(alloca(here - self->shift_to));
	leaf();
	NO_TAIL_CALL();
}

FRAME void shift(unsigned int n)
{
	static void (*const volatile next[])(unsigned int) = {shifted, shift};

	next[n > 0](n - 1);
	NO_TAIL_CALL();
}

FRAME void shift_some()
{
	self->shift_to = ((uintptr_t)__builtin_frame_address(0) - SHIFT) & ~63UL;
	for (int i = 0; i < 6; i++)
		shift(draw(8));
	NO_TAIL_CALL();
}

FRAME void thrower(int depth)
{
	leaf();
	if (depth > 0)
		thrower(depth - 1);
	else
		throw depth;
	NO_TAIL_CALL();
}

FRAME void catcher(int depth)
{
	try {
		thrower(draw(4));
	} catch (int) {
		leaf(); /* and no more: a coroutine must not be left here */
	}
	walk(depth - 1);
	NO_TAIL_CALL();
}

FRAME void jump_back(int depth)
{
	leaf();
	if (depth == 0 && self->random) /* or gcc says that it never returns */
		longjmp(self->jump, 1);
	if (depth > 0)
		jump_back(depth - 1);
	NO_TAIL_CALL();
}

FRAME void jumper(int depth)
{
	if (setjmp(self->jump) == 0)
		jump_back((int)draw(4));
	walk(depth - 1);
	NO_TAIL_CALL();
}

/* To the next coroutine, or back to the thread's own stack. */
FRAME void switcher()
{
	int from = self->current, to = (int)draw(COROUTINES + 1);

	if (from == to)
		return;
	self->current = to;
	swapcontext(from == COROUTINES ? &self->main : &self->coroutines[from],
		    to == COROUTINES ? &self->main : &self->coroutines[to]);
	leaf();
}

void coroutine()
{
	for (;;) {
		walk(DEEPEST / 2);
		switcher();
	}
}

void on_signal(int)
{
	leaf();
	leaf();
	NO_TAIL_CALL();
}

int compare(const void *a, const void *b)
{
	if (draw(3) == 0)
		leaf();
	return *(const int *)a - *(const int *)b;
}

FRAME void sorter()
{
	int numbers[4] = {4, 2, 3, 1};

	qsort(numbers, 4, sizeof(numbers[0]), compare);
	NO_TAIL_CALL();
}

FRAME void plugin()
{
	static const char *const names[] = {"unload_first_lib.so", "unload_second_lib.so"};
	char path[4096], copy[4096];

	snprintf(copy, sizeof(copy), "%s", argv0);
	snprintf(path, sizeof(path), "%s/%s", dirname(copy), names[draw(2)]);
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		exit(3);
	auto leak = (void (*)())dlsym(library, "leak");
	for (int i = 0; i < 20; i++)
		leak();
	dlclose(library);
}

FRAME void walk(int depth)
{
	int way = depth > 0 ? (int)draw(40) : 0;

	if (self->calls <= 0 && self->current != COROUTINES) {
		int from = self->current;

		self->current = COROUTINES;
		swapcontext(&self->coroutines[from], &self->main);
	}
	if (self->calls <= 0)
		return;
	switch (way) {
	case 0 ... 9:
		for (unsigned int i = draw(12); i; i--)
			leaf();
		break;
	case 10 ... 17:
		busy(depth);
		break;
	case 18 ... 23:
		variable(depth);
		break;
	case 24 ... 27:
		realigned(depth);
		break;
	case 28:
		shift_some();
		break;
	case 29:
		catcher(depth);
		break;
	case 30:
		jumper(depth);
		break;
	case 31 ... 32:
		switcher();
		break;
	case 33:
		raise(draw(2) ? SIGUSR1 : SIGUSR2);
		break;
	case 34:
		sorter();
		break;
	case 35:
		if (self->first && draw(200) == 0)
			plugin();
		break;
	default:
		walk(depth - 1);
		leaf();
		walk(depth - 2);
	}
	NO_TAIL_CALL();
}

void *work(void *arg)
{
	stack_t alternate = {};
	char above[ALTERNATE]; /* the frames that are interrupted */

	self = (thread *)arg;
	keep(above);
	alternate.ss_sp = self->first ? malloc(ALTERNATE) : above;
	alternate.ss_size = ALTERNATE;
	sigaltstack(&alternate, nullptr);
	self->current = COROUTINES;
	for (int i = 0; i < COROUTINES; i++) {
		self->stacks[i] = (char *)malloc(STACK);
		getcontext(&self->coroutines[i]);
		self->coroutines[i].uc_stack.ss_sp = self->stacks[i];
		self->coroutines[i].uc_stack.ss_size = STACK;
		makecontext(&self->coroutines[i], coroutine, 0);
	}
	while (self->calls > 0)
		walk(1 + (int)draw(DEEPEST));
	return nullptr;
}

} // namespace

int main(int argc, char **argv)
{
	long calls = argc > 1 ? atol(argv[1]) : 10000;
	int n = argc > 2 ? atoi(argv[2]) : 1, execs = argc > 3 ? atoi(argv[3]) : 0;
	struct sigaction action = {};
	pthread_t threads[16];
	thread *each;
	char line[8];

	argv0 = argv[0];
	if (n < 1 || n > 16)
		return 2;
	if (argc < 5) {
		printf("ready %d\n", (int)getpid());
		fflush(stdout);
		if (!fgets(line, sizeof(line), stdin))
			return 1;
	}
	action.sa_handler = on_signal;
	sigaction(SIGUSR1, &action, nullptr);
	action.sa_flags = SA_ONSTACK;
	sigaction(SIGUSR2, &action, nullptr);
	for (int i = 0; i < n; i++) {
		each = (thread *)calloc(1, sizeof(*each));
		each->random = (uint64_t)(i + 1) * 77777 + (uint64_t)execs;
		each->calls = calls;
		each->first = i == 0;
		if (pthread_create(&threads[i], nullptr, work, each))
			return 1;
	}
	for (int i = 0; i < n; i++)
		pthread_join(threads[i], nullptr);
	if (execs > 0) {
		char left[16];

		snprintf(left, sizeof(left), "%d", execs - 1);
		execl("/proc/self/exe", argv[0], argv[1], argv[2], left, "go", nullptr);
		return 1;
	}
	printf("done\n");
	return 0;
}
