/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * C++: operator new, strings, vectors, exceptions thrown through frames that allocate, bad_alloc thrown by operator new itself,
 * threads. The functions of the truth lines are extern "C", so that their names are the same in any mangling.
 */
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>
#include "truth.h"

enum { ROUNDS = 15, THREADS = 3 };

static volatile size_t huge = static_cast<size_t>(1) << 62;

namespace shapes
{
struct Shape {
	virtual ~Shape() = default;
	char body[88];
};

struct Circle : Shape {
	FRAME Circle()
	{
		name = static_cast<char *>(truth_keep(malloc(33)));
	}
	char *name;
};
} // namespace shapes

extern "C" {

FRAME void leak_new()
{
	truth_keep(new char[505]);
	NO_TAIL_CALL();
}

/* The string object, and its characters with the final zero. */
FRAME void leak_string()
{
	truth_keep(new std::string(300, 'x'));
	NO_TAIL_CALL();
}

FRAME void leak_vector()
{
	auto *v = new std::vector<int>();

	v->reserve(100);
	truth_keep(v);
}

FRAME void leak_object()
{
	truth_keep(new shapes::Circle());
	NO_TAIL_CALL();
}

/* Everything that a growing vector of strings takes is given back. */
FRAME void balanced_vector()
{
	std::vector<std::string> v;

	for (int i = 0; i < 100; i++)
		v.push_back(std::string(100 + i, 'y'));
	truth_keep(v.data());
}

FRAME void leak_and_throw(int i)
{
	truth_keep(malloc(606));
	if (i >= 0)
		throw std::runtime_error("a message that is longer than a small string");
}

FRAME void throw_through(int i)
{
	std::string local(200, 'z'); /* freed while the exception passes */

	truth_keep(&local);
	leak_and_throw(i);
}

FRAME void catch_exceptions()
{
	bool caught = false;

	try {
		throw_through(1);
	} catch (const std::exception &) {
		caught = true;
	}
	truth_require(caught, "no exception");
}

/* Throws from inside operator new: a return probe there would end the program. */
FRAME void catch_bad_alloc()
{
	bool caught = false;

	try {
		truth_keep(new char[huge]);
	} catch (const std::bad_alloc &) {
		caught = true;
	}
	truth_require(caught, "no bad_alloc");
}

FRAME void leak_in_cxx_thread()
{
	for (int i = 0; i < ROUNDS; i++)
		truth_keep(new char[777]);
	NO_TAIL_CALL();
}
}

/* Few enough that the C library caches their stacks, each with its table of thread-local storage (see threads.h). */
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
	pthread_barrier_t together;

	pthread_barrier_init(&together, nullptr, THREADS);
	run_threads([&] { pthread_barrier_wait(&together); });
	truth_ready();
	for (int i = 0; i < ROUNDS; i++) {
		leak_new();
		leak_string();
		leak_vector();
		leak_object();
		balanced_vector();
		catch_exceptions();
		catch_bad_alloc();
	}
	run_threads([] { leak_in_cxx_thread(); });
	truth(ROUNDS * 505, ROUNDS, "leak_new");
	truth(ROUNDS * (sizeof(std::string) + 301), ROUNDS * 2, "leak_string");
	truth(ROUNDS * (sizeof(std::vector<int>) + 400), ROUNDS * 2, "leak_vector");
	truth(ROUNDS * (sizeof(shapes::Circle) + 33), ROUNDS * 2, "leak_object");
	truth(0, 0, "balanced_vector");
	truth(ROUNDS * 606, ROUNDS, "leak_and_throw");
	truth(0, 0, "catch_bad_alloc");
	truth(THREADS * ROUNDS * 777, THREADS * ROUNDS, "leak_in_cxx_thread");
	truth_done();
	return 0;
}
