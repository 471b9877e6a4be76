/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The benchmark's target: pairs of malloc and free at the bottom of a deep stack, timed from inside.
 *
 * It prints `ready PID`, then obeys one command per line of stdin, so that a driver can attach and detach in between,
 * and answers each on one line:
 *
 *   round FRAMES THREADS KIND PAIRS   so many pairs in each of THREADS threads at once, with FRAMES on the stack inside
 *                                     malloc, its own included; prints `ns N`, nanoseconds per pair, the mean over the
 *                                     threads. They are CPU time of the thread: what else runs does not count
 *   quit                              (or end of file) ends
 *
 * KIND: `one`: always from the same place; `two`: from two functions in turns; `outer`: each pair is reached anew, from the
 * outermost function on, by other calls of the same functions, chosen at random: nothing that is remembered of the last
 * stack's outer frames holds for the next one. Its time is that of the way down as well.
 *
 * The way down alternates between functions with frames of different sizes, so that no two frames next to each other
 * share a row of unwind information. No debug information and no frame pointers, as distributions build.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FRAME __attribute__((noinline))

/* Keeps a call from becoming a jump, and two calls from becoming one. */
#define DISTINCT(text) __asm__ volatile("# " text ::: "memory")

/*
 * Frames besides those of the way down. Innermost: malloc, its caller, bottom, and with `two` one more; outermost: work, and
 * either measure, obey, main, two functions of the C library's start, _start, or start_thread, clone3.
 */
enum { INNER = 3, OUTER_MAIN = 7, OUTER_THREAD = 3 };
enum { SIZE = 128, MAX_THREADS = 64, WAYS = 12 /* bits: of 4,096 */ };
enum kind { ONE, TWO, OUTER };

struct job {
	enum kind kind;
	unsigned int levels;
	unsigned long pairs;
	pthread_barrier_t *start;
	double ns; /* result */
};

FRAME static void pairs(unsigned long count)
{
	while (count--) {
		void *block = malloc(SIZE);

		__asm__ volatile("" : "+r"(block) : : "memory");
		free(block);
	}
}

/* A function with one place of its own, and `bytes` of locals. */
#define PAIR(name, bytes)                                                                          \
	FRAME static void name(void)                                                               \
	{                                                                                          \
		volatile char locals[bytes];                                                       \
		void *block = malloc(SIZE);                                                        \
                                                                                                   \
		locals[0] = 1;                                                                     \
		__asm__ volatile("" : "+r"(block) : : "memory");                                   \
		free(block);                                                                       \
		locals[sizeof(locals) - 1] = 1;                                                    \
	}

PAIR(left, 24)
PAIR(right, 72)

FRAME static void pairs_of_two(unsigned long count)
{
	for (; count > 1; count -= 2) {
		left();
		right();
	}
}

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

FRAME static void bottom(struct job *job)
{
	double start;

	if (job->kind == OUTER) {
		pairs(1);
		DISTINCT("outer");
		return;
	}
	start = now_ns();
	if (job->kind == ONE)
		pairs(job->pairs);
	else
		pairs_of_two(job->pairs);
	job->ns = (now_ns() - start) / (double)job->pairs;
}

static void descend_0(unsigned int levels, unsigned int way, struct job *job);

/*
 * One of the functions of the way down: `bytes` of locals, then on to the next, or to the bottom. The lowest bit of `way` says by
 * which of two calls, which differ in their return address alone.
 */
#define DESCEND(name, next, bytes)                                                                 \
	FRAME static void name(unsigned int levels, unsigned int way, struct job *job)             \
	{                                                                                          \
		volatile char locals[bytes];                                                       \
                                                                                                   \
		locals[0] = 1;                                                                     \
		if (levels <= 1) {                                                                 \
			bottom(job);                                                               \
			DISTINCT("end");                                                           \
		} else if (way & 1) {                                                              \
			next(levels - 1, way >> 1, job);                                           \
			DISTINCT("one");                                                           \
		} else {                                                                           \
			next(levels - 1, way >> 1, job);                                           \
			DISTINCT("other");                                                         \
		}                                                                                  \
		locals[sizeof(locals) - 1] = 1;                                                    \
	}

DESCEND(descend_7, descend_0, 24)
DESCEND(descend_6, descend_7, 200)
DESCEND(descend_5, descend_6, 8)
DESCEND(descend_4, descend_5, 120)
DESCEND(descend_3, descend_4, 56)
DESCEND(descend_2, descend_3, 16)
DESCEND(descend_1, descend_2, 88)
DESCEND(descend_0, descend_1, 40)

FRAME static void *work(void *argument)
{
	struct job *job = argument;
	uint32_t random = 1;
	double start;

	if (job->start)
		pthread_barrier_wait(job->start);
	if (job->kind != OUTER) {
		descend_0(job->levels, 0, job);
		return NULL;
	}
	start = now_ns();
	for (unsigned long i = 0; i < job->pairs; i++) {
		random = random * 1664525 + 1013904223;
		descend_0(job->levels, random >> (32 - WAYS), job);
	}
	job->ns = (now_ns() - start) / (double)job->pairs;
	return NULL;
}

static double in_threads(unsigned int n, const struct job *job)
{
	pthread_t threads[MAX_THREADS];
	struct job jobs[MAX_THREADS];
	pthread_barrier_t start;
	double sum = 0;

	pthread_barrier_init(&start, NULL, n);
	for (unsigned int i = 0; i < n; i++) {
		jobs[i] = *job;
		jobs[i].start = &start;
		if (pthread_create(&threads[i], NULL, work, &jobs[i])) {
			fprintf(stderr, "pairs: no more threads\n");
			_exit(1);
		}
	}
	for (unsigned int i = 0; i < n; i++) {
		pthread_join(threads[i], NULL);
		sum += jobs[i].ns;
	}
	pthread_barrier_destroy(&start);
	return sum / n;
}

/* False where there are not so few frames, or so many threads. */
FRAME static int measure(unsigned int frames, unsigned int threads, struct job *job)
{
	unsigned int others =
		INNER + (job->kind == TWO) + (threads == 1 ? OUTER_MAIN : OUTER_THREAD);

	if (frames <= others || !threads || threads > MAX_THREADS || !job->pairs)
		return 0;
	job->levels = frames - others;
	if (threads == 1)
		work(job);
	else
		job->ns = in_threads(threads, job);
	return 1;
}

FRAME static void obey(void)
{
	static const char *const kinds[] = {"one", "two", "outer"};
	char line[64], kind[8];
	unsigned int frames, threads;

	while (fgets(line, sizeof(line), stdin) && strcmp(line, "quit\n") != 0) {
		struct job job = {.kind = ONE};

		if (sscanf(line, "round %u %u %7s %lu", &frames, &threads, kind, &job.pairs) == 4) {
			while (job.kind < OUTER && strcmp(kinds[job.kind], kind) != 0)
				job.kind++;
			if (measure(frames, threads, &job)) {
				printf("ns %.1f\n", job.ns);
				fflush(stdout);
				continue;
			}
		}
		printf("not understood\n");
		fflush(stdout);
	}
}

int main(void)
{
	printf("ready %d\n", getpid());
	fflush(stdout);
	obey();
	return 0;
}
