/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * C++: every operator new, by threads that run together, with sizes that an allocator has at hand and sizes for which it asks for more; some
 * fail. Of each a known number is left, all others are deleted by the thread itself.
 */
#include <new>
#include <thread>
#include "truth.h"

enum { ROUNDS = 3000, THREADS = 3, KEPT = 300 /* of ROUNDS */ };

static const size_t SIZE = 192; /* as libstdc++ rounds it for an alignment */

static const std::align_val_t line{64};
static volatile size_t huge = static_cast<size_t>(1) << 62;

static size_t size_of(int i)
{
	static const size_t sizes[] = {8,    24,  100, 500,  1000, 1024, 2000,
				       4096, 100, 48,  9000, 33,   70000};

	return i % 500 == 499 ? 3000000 : sizes[i % 13];
}

/* The first of every ten is kept. */
template <typename New, typename Delete>
__attribute__((always_inline)) static inline void leak(New get, Delete give_back)
{
	for (int i = 0; i < ROUNDS; i++) {
		size_t size = i % (ROUNDS / KEPT) ? size_of(i) : SIZE;
		void *block = truth_keep(get(size));

		truth_require(block != nullptr, "no memory");
		if (i % (ROUNDS / KEPT))
			give_back(block);
	}
}

extern "C" {

FRAME void leak_plain()
{
	leak([](size_t n) { return ::operator new(n); }, [](void *p) { ::operator delete(p); });
}

FRAME void leak_array()
{
	leak([](size_t n) { return ::operator new[](n); }, [](void *p) { ::operator delete[](p); });
}

FRAME void leak_nothrow()
{
	leak([](size_t n) { return ::operator new(n, std::nothrow); },
	     [](void *p) { ::operator delete(p); });
}

FRAME void leak_array_nothrow()
{
	leak([](size_t n) { return ::operator new[](n, std::nothrow); },
	     [](void *p) { ::operator delete[](p); });
}

FRAME void leak_aligned()
{
	leak([](size_t n) { return ::operator new(n, line); },
	     [](void *p) { ::operator delete(p, line); });
}

FRAME void leak_aligned_nothrow()
{
	leak([](size_t n) { return ::operator new[](n, line, std::nothrow); },
	     [](void *p) { ::operator delete[](p, line); });
}

FRAME void fail()
{
	for (int i = 0; i < 5; i++)
		truth_require(!truth_keep(::operator new(huge, std::nothrow)), "memory");
}
}

static void run()
{
	leak_plain();
	leak_array();
	leak_nothrow();
	fail();
	leak_array_nothrow();
	leak_aligned();
	leak_aligned_nothrow();
}

/* Few enough that the C library caches their stacks (see threads.h). */
template <typename Function> static void run_threads(Function function)
{
	std::thread threads[THREADS];

	for (auto &thread : threads)
		thread = std::thread(function);
	for (auto &thread : threads)
		thread.join();
}

int main()
{
	static const char *const names[] = {"leak_plain",   "leak_array",
					    "leak_nothrow", "leak_array_nothrow",
					    "leak_aligned", "leak_aligned_nothrow"};
	pthread_barrier_t together;

	pthread_barrier_init(&together, nullptr, THREADS);
	run_threads([&] { pthread_barrier_wait(&together); });
	truth_ready();
	run_threads(run);
	for (const char *name : names)
		truth(static_cast<size_t>(THREADS) * KEPT * SIZE, THREADS * KEPT, name);
	truth(0, 0, "fail");
	truth_done();
	return 0;
}
