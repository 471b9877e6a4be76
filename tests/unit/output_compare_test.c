/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves: view_compare() finds a stack of another run again, whatever the addresses and the process's number are; tells call sites of one function
 * apart, and still finds them when they have moved, as in a program that was built anew; unnamed code is found by the file's offset; processes are told
 * apart where there are several; what is gone follows with nothing in it; what all stacks hold, and held, adds up; two views of 100,000 stacks are
 * compared in seconds, even if all stacks are equal.
 */
#include "output/compare.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../test.h"
#include "output/json_read.h"
#include "output/view.h"

/* A program at `base` with three functions and one without a name: in the names of what is below: a, b, c and -. */
#define VIEW                                                                                       \
	"{\"format\":\"memleak_dwunw report\",\"version\":1,\"when_ns\":5000000000,\"bytes\":%d,"  \
	"\"blocks\":%d,\"processes\":[%s],\"modules\":[{\"path\":\"%s/prog\",\"start\":\"0x%x\","  \
	"\"end\":\"0x%x\",\"file_off\":\"0x1000\"}],\"frames\":["                                  \
	"{\"function\":\"a\",\"pc\":\"0x%x\",\"offset\":\"0x%x\",\"module\":0},"                   \
	"{\"function\":\"a\",\"pc\":\"0x%x\",\"offset\":\"0x%x\",\"module\":0},"                   \
	"{\"function\":\"main\",\"pc\":\"0x%x\",\"offset\":\"0x8\",\"module\":0},"                 \
	"{\"pc\":\"0x%x\",\"module\":0},"                                                          \
	"{\"function\":\"in\",\"pc\":\"0x0\",\"module\":0,\"inlined\":true}],\"stacks\":[%s]}"

/* `moved`: where in its function the code is, besides where it was. */
static struct view *make(const char *folder, unsigned int base, unsigned int moved,
			 const char *processes, const char *stacks)
{
	char *text, why[JSON_MAX_REASON];
	struct view *view = NULL;

	if (asprintf(&text, VIEW, 100, 10, processes, folder, base, base + 0x1000, base + 0x10,
		     0x10 + moved, base + 0x20, 0x20 + moved, base + 0x100, base + 0x200,
		     stacks) < 0)
		return NULL;
	if (json_read(text, strlen(text), &view, why))
		fprintf(stderr, "%s: %s\n", why, text);
	free(text);
	return view;
}

#define RUN_7 "{\"pid\":7,\"comm\":\"run\"}"
#define RUN_8 "{\"pid\":8,\"comm\":\"run\"}"
#define OTHER_9 "{\"pid\":9,\"comm\":\"other\"}"

/* Whether stack `i` held so many bytes before. */
static bool held(const struct view *view, size_t i, uint64_t bytes)
{
	if (i >= view->n_stacks || view->stacks[i].before_bytes != bytes) {
		fprintf(stderr, "stack %zu of %zu held %llu, not %llu\n", i, view->n_stacks,
			(unsigned long long)(i < view->n_stacks ? view->stacks[i].before_bytes : 0),
			(unsigned long long)bytes);
		return false;
	}
	return true;
}

#define STACKS_NOW                                                                                 \
	"{\"pid\":7,\"bytes\":10,\"blocks\":1,\"frames\":[0,2]},"                                  \
	"{\"pid\":7,\"bytes\":20,\"blocks\":1,\"frames\":[1,2]},"                                  \
	"{\"pid\":7,\"bytes\":30,\"blocks\":1,\"frames\":[3,2]},"                                  \
	"{\"pid\":7,\"bytes\":40,\"blocks\":1,\"frames\":[2]},"                                    \
	"{\"pid\":7,\"bytes\":40,\"blocks\":1,\"frames\":[2],\"stop\":\"depth\"}"
#define STACKS_BEFORE                                                                              \
	"{\"pid\":8,\"bytes\":3,\"blocks\":1,\"frames\":[3,2]},"                                   \
	"{\"pid\":8,\"bytes\":2,\"blocks\":1,\"frames\":[1,2]},"                                   \
	"{\"pid\":8,\"bytes\":1,\"blocks\":1,\"frames\":[0,2]},"                                   \
	"{\"pid\":8,\"bytes\":5,\"blocks\":1,\"frames\":[2],\"stop\":\"depth\"},"                  \
	"{\"pid\":8,\"bytes\":7,\"blocks\":2,\"frames\":[0,0,2],\"comm\":\"gone\"}"

static void test_other_run(void)
{
	struct view *now = make("/a", 0x5000, 0, RUN_7, STACKS_NOW);
	struct view *before = make("/b", 0x9000, 0, RUN_8, STACKS_BEFORE);

	CHECK(!view_compare(now, before));
	view_free(before); /* nothing is borrowed */
	CHECK(now->compared && now->before_when.tv_sec == 5 && now->before_bytes == 100);
	CHECK(held(now, 0, 1) && held(now, 1, 2) && held(now, 2, 3) && held(now, 3, 0));
	CHECK(held(now, 4, 5));
	CHECK(now->n_stacks == 6 && held(now, 5, 7) && now->stacks[5].bytes == 0);
	CHECK(now->stacks[5].before_blocks == 2 && !strcmp(now->stacks[5].comm, "gone"));
	CHECK(now->stacks[5].n_frames == 3 && !strcmp(now->stacks[5].frames[2].function, "main"));
	CHECK(!strcmp(now->modules[now->stacks[5].frames[0].module].path, "/b/prog"));
	view_free(now);
}

/* Built anew: the call sites are elsewhere, so that their order is what is left; unnamed code cannot be found. */
static void test_moved(void)
{
	struct view *now = make("", 0x5000, 0, RUN_7, STACKS_NOW);
	struct view *before = make("", 0x5000, 0x40, RUN_7, STACKS_BEFORE);

	CHECK(!view_compare(now, before));
	CHECK(held(now, 0, 2) && held(now, 1, 1) && held(now, 2, 3) && now->n_stacks == 6);
	view_free(before);
	view_free(now);
}

/* The same with and without debug information. */
static void test_inlined(void)
{
	struct view *now = make("", 0, 0, "", "{\"bytes\":9,\"blocks\":1,\"frames\":[4,0,4,2]}");
	struct view *before = make("", 0, 0, "", "{\"bytes\":4,\"blocks\":1,\"frames\":[0,2]}");

	CHECK(!view_compare(now, before));
	CHECK(held(now, 0, 4) && now->n_stacks == 1);
	view_free(before);
	view_free(now);
}

#define STACK(pid, bytes) "{\"pid\":" #pid ",\"bytes\":" #bytes ",\"blocks\":1,\"frames\":[0]}"

static void test_processes(void)
{
	struct view *now = make("", 0, 0, RUN_7 "," OTHER_9, STACK(7, 50) "," STACK(9, 60));
	struct view *same = make("", 0, 0, OTHER_9 "," RUN_7, STACK(9, 6) "," STACK(7, 5));
	struct view *by_name = make("", 0, 0, "{\"pid\":1,\"comm\":\"other\"}," RUN_8,
				    STACK(1, 6) "," STACK(8, 5));
	struct view *one = make("", 0, 0, RUN_8, STACK(8, 5));

	CHECK(!view_compare(now, same) && now->n_stacks == 2);
	CHECK(held(now, 0, 5) && held(now, 1, 6));
	CHECK(!view_compare(same, by_name) && same->n_stacks == 2);
	CHECK(held(same, 0, 6) && held(same, 1, 5));
	CHECK(!view_compare(by_name, one) && held(by_name, 0, 0) && held(by_name, 1, 5));
	view_free(now);
	view_free(same);
	view_free(by_name);
	view_free(one);
}

/* Of several equal ones each has one of the others; with nothing in it now or then none is missed. */
static void test_equal(void)
{
	struct view *now = make("", 0, 0, "", STACK(1, 9) "," STACK(1, 8) "," STACK(1, 7));
	struct view *before =
		make("", 0, 0, "", STACK(1, 6) "," STACK(1, 5) ",{\"frames\":[2]},{\"frames\":[]}");

	CHECK(!view_compare(now, before) && now->n_stacks == 3);
	CHECK(held(now, 0, 6) && held(now, 1, 5) && held(now, 2, 0));
	CHECK(!view_compare(before, now) && before->n_stacks == 5);
	view_free(now);
	view_free(before);
}

static void test_time(void)
{
	enum { N = 100000 };
	static const struct view_frame frames[] = {{.function = "a", .module = VIEW_NO_MODULE},
						   {.function = "b", .module = VIEW_NO_MODULE}};
	struct timespec start, end;
	struct view views[2] = {};

	for (size_t i = 0; i < 2; i++) {
		views[i].stacks = calloc(N, sizeof(*views[i].stacks));
		views[i].n_stacks = N;
		for (size_t k = 0; k < N; k++)
			views[i].stacks[k] = (struct view_stack){.comm = "",
								 .bytes = k,
								 .blocks = 1,
								 .frames = frames,
								 .n_frames = 2};
	}
	clock_gettime(CLOCK_MONOTONIC, &start);
	CHECK(!view_compare(&views[0], &views[1]));
	clock_gettime(CLOCK_MONOTONIC, &end);
	CHECK(end.tv_sec - start.tv_sec < 10);
	CHECK(views[0].n_stacks == N && views[0].stacks[777].before_bytes == 777);
	free(views[0].stacks);
	free(views[1].stacks);
}

int main(void)
{
	test_other_run();
	test_moved();
	test_inlined();
	test_processes();
	test_equal();
	test_time();
	return test_end();
}
