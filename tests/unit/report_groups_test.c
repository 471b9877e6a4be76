/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves: groups are those of a naive count over random snapshots; each --sort has its order, which is stable, and growth is what came since
 * the last report, also among many stacks; that no sum wraps round, and that time grows with the number of blocks, not with its
 * square.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../test.h"
#include "growth.h"
#include "report.h"

#define MS 1000000ULL

/* The ids of the stacks in the order of the report. */
static const char *order_of(const struct report_snapshot *s, const struct report_options *options)
{
	static char text[256];
	struct report_groups groups;

	text[0] = '\0';
	if (report_group(s, options, &groups))
		return "error";
	for (size_t i = 0; i < groups.n_groups; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%lld", i ? " " : "",
			 (long long)s->stacks[groups.groups[i].stack].id);
	report_groups_free(&groups);
	return text;
}

static void test_sort(void)
{
	static struct report_stack four[] = {{.id = 1}, {.id = 2}, {.id = 3}, {.id = 4}};
	static struct report_block held[] = {
		{1, 100, 500 * MS, 0, 0}, /* 1: 100 bytes, one block, 500 ms old */
		{2, 10, 100 * MS, 1, 0},  {3, 10, 800 * MS, 1, 0}, {4, 10, 800 * MS, 1, 0}, /* 2 */
		{5, 15, 100 * MS, 2, 0},  {6, 15, 900 * MS, 2, 0},			    /* 3 */
		{7, 30, 500 * MS, 3, 0},						    /* 4 */
	};
	const struct report_snapshot s = {
		.blocks = held, .n_blocks = 7, .stacks = four, .n_stacks = 4};
	struct report_options options = {.now_ns = 1000 * MS};

	CHECK(!strcmp(order_of(&s, &options), "1 2 3 4")); /* 2, 3 and 4 hold 30 bytes each */
	options.sort = REPORT_SORT_COUNT;
	CHECK(!strcmp(order_of(&s, &options), "2 3 1 4"));
	options.sort = REPORT_SORT_AGE;
	CHECK(!strcmp(order_of(&s, &options), "2 3 1 4"));
	held[4].time_ns = 99 * MS;
	CHECK(!strcmp(order_of(&s, &options), "3 2 1 4"));
	held[4].time_ns = 100 * MS;
}

/* What was there at the last report is no growth; a process of the same code has a growth of its own. */
static void test_growth(void)
{
	static struct report_stack three[] = {{.id = 1, .pid = 1, .identity = 7},
					      {.id = 2, .pid = 2, .identity = 7},
					      {.id = 3, .pid = 1, .identity = 8}};
	static struct report_block held[] = {{1, 1000, 0, 0, 0},
					     {2, 100, 0, 1, 0},
					     {3, 10, 0, 2, 0},
					     {4, 5, 0, 2, 0},
					     {5, 1, 0, 1, 0}};
	struct report_snapshot s = {.blocks = held, .n_blocks = 3, .stacks = three, .n_stacks = 3};
	struct report_options options = {.sort = REPORT_SORT_GROWTH};
	struct report_groups groups;
	struct growth *last = NULL;

	CHECK(!strcmp(order_of(&s, &options), "1 2 3")); /* the first: all of it has grown */
	CHECK(report_group(&s, &options, &groups) == 0);
	CHECK(growth_create(&s, &groups, &last) == 0);
	report_groups_free(&groups);
	s.n_blocks = 5;
	held[0].size = 900; /* 1: 100 bytes less; 2: one more; 3: five more */
	options.last = last;
	CHECK(!strcmp(order_of(&s, &options), "3 2 1"));
	CHECK(report_group(&s, &options, &groups) == 0);
	CHECK(groups.groups[0].growth_bytes == 5 && groups.groups[0].growth_blocks == 1);
	CHECK(groups.groups[1].growth_bytes == 1 && groups.groups[1].growth_blocks == 1);
	CHECK(groups.groups[2].growth_bytes == -100 && groups.groups[2].growth_blocks == 0);
	report_groups_free(&groups);
	growth_free(last);
}

/* Many stacks: each is found again, and those that were not there are not. */
static void test_growth_of_many(void)
{
	enum { N = 5000 };
	static struct report_stack many[N];
	static struct report_group each[N];
	const struct report_snapshot s = {.stacks = many, .n_stacks = N};
	const struct report_groups groups = {.groups = each, .n_groups = N};
	struct growth *growth;
	uint64_t bytes, blocks;
	bool right = true;

	for (uint32_t i = 0; i < N; i++) {
		many[i] = (struct report_stack){.pid = i / 2, .identity = i % 2};
		each[i] = (struct report_group){.stack = i, .bytes = i, .blocks = i + 1};
	}
	CHECK(growth_create(&s, &groups, &growth) == 0);
	for (uint32_t i = 0; i < N; i++) {
		growth_find(growth, many[i].pid, many[i].identity, &bytes, &blocks);
		right &= bytes == i && blocks == i + 1;
		growth_find(growth, many[i].pid + N, many[i].identity, &bytes, &blocks);
		right &= bytes == 0 && blocks == 0;
	}
	CHECK(right);
	growth_free(growth);
	growth_find(NULL, 1, 1, &bytes, &blocks);
	CHECK(bytes == 0 && blocks == 0);
}

static void test_edges(void)
{
	const struct report_options options = {};
	struct report_stack stacks[] = {{.id = 2}, {.id = 1}};
	struct report_block huge[] = {{1, UINT64_MAX, 0, 0, 0}, {2, 2, 0, 0, 0}, {3, 5, 0, 1, 0}};
	struct report_snapshot sums = {
		.blocks = huge, .n_blocks = 3, .stacks = stacks, .n_stacks = 2};
	struct report_groups groups = {.n_groups = 77};

	/* a block of no stack is refused, not dropped */
	sums.n_stacks = 1;
	CHECK(report_group(&sums, &options, &groups) == -EINVAL && groups.n_groups == 77);
	sums.n_stacks = 2;
	/* no sum wraps round */
	CHECK(report_group(&sums, &options, &groups) == 0);
	CHECK(groups.groups[0].stack == 0 && groups.groups[0].bytes == UINT64_MAX);
	CHECK(groups.groups[0].growth_bytes == INT64_MAX);
	CHECK(groups.bytes == UINT64_MAX && groups.blocks == 3);
	report_groups_free(&groups);
	CHECK(!groups.groups && !groups.order);
}

/* Everything that report_groups promises, checked against a naive count. */
static bool is_right(const struct report_snapshot *s, const struct report_options *options,
		     const struct report_groups *groups)
{
	uint64_t blocks_seen = 0, bytes_seen = 0, old = 0;

	for (size_t i = 0; i < s->n_blocks; i++)
		old += s->blocks[i].time_ns + options->min_age_ns <= options->now_ns;
	for (size_t g = 0; g < groups->n_groups; g++) {
		const struct report_group *group = &groups->groups[g], *last = group - 1;
		uint64_t bytes = 0, naive = 0, n = 0;

		for (size_t i = 0; i < s->n_blocks; i++) {
			const struct report_block *block = &s->blocks[i];

			if (block->stack != group->stack ||
			    block->time_ns + options->min_age_ns > options->now_ns)
				continue;
			naive += block->size;
			n++;
		}
		for (size_t i = 0; i < group->n_blocks; i++) {
			const size_t *at = &groups->order[group->first_block + i];

			bytes += s->blocks[*at].size;
			if (s->blocks[*at].stack != group->stack)
				return false;
			if (i > 0 && s->blocks[at[-1]].addr > s->blocks[*at].addr)
				return false;
		}
		if (naive != bytes || naive != group->bytes || n != group->blocks || n == 0 ||
		    n != group->n_blocks)
			return false;
		if (g > 0 && (last->bytes < group->bytes ||
			      (last->bytes == group->bytes &&
			       s->stacks[last->stack].id >= s->stacks[group->stack].id)))
			return false;
		blocks_seen += n;
		bytes_seen += bytes;
	}
	return blocks_seen == old && groups->blocks == old && groups->bytes == bytes_seen;
}

static void test_random(void)
{
	static struct report_stack many_stacks[50];
	static struct report_block many[500];
	unsigned int seed = 1;
	bool right = true;

	for (int round = 0; round < 300; round++) {
		struct report_options options = {
			.now_ns = 1000, .show_allocs = true, .min_age_ns = rand_r(&seed) % 3 * 400};
		struct report_snapshot s = {.blocks = many,
					    .n_blocks = rand_r(&seed) % 500,
					    .stacks = many_stacks,
					    .n_stacks = 1 + rand_r(&seed) % 50};
		struct report_groups groups;

		for (size_t i = 0; i < s.n_stacks; i++)
			many_stacks[i].id = (int64_t)((i * 37 + round) % 53) << 55;
		for (size_t i = 0; i < s.n_blocks; i++)
			many[i] = (struct report_block){
				((uint64_t)rand_r(&seed) << 33 | rand_r(&seed)) >>
					rand_r(&seed) % 64,
				rand_r(&seed) % 10, rand_r(&seed) % 1000,
				rand_r(&seed) % s.n_stacks, 0};
		if (report_group(&s, &options, &groups)) {
			CHECK(false);
			return;
		}
		right &= is_right(&s, &options, &groups);
		report_groups_free(&groups);
	}
	CHECK(right);
}

static double seconds_for(size_t n)
{
	struct report_snapshot s = {.n_blocks = n, .n_stacks = n};
	struct report_options options = {.top_stacks = 10};
	struct report_groups groups;
	struct timespec start, end;
	unsigned int seed = 7;

	s.blocks = calloc(n, sizeof(*s.blocks));
	s.stacks = calloc(n, sizeof(*s.stacks));
	for (size_t i = 0; i < n; i++) {
		s.stacks[i].id = rand_r(&seed);
		s.blocks[i] = (struct report_block){0x7f0000000000 + (uint64_t)rand_r(&seed) * 16,
						    i % 100, 0, rand_r(&seed) % n, 0};
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
	CHECK(report_group(&s, &options, &groups) == 0);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	CHECK(groups.blocks == n);
	report_groups_free(&groups);
	free(s.blocks);
	free(s.stacks);
	return end.tv_sec - start.tv_sec + (end.tv_nsec - start.tv_nsec) / 1e9;
}

/* A million blocks of about as many stacks: what is quadratic takes minutes here. */
static void test_time(void)
{
	double seconds = seconds_for(1000000);

	printf("# 1,000,000 blocks grouped in %.0f ms\n", seconds * 1e3);
	CHECK(seconds < 5);
}

int main(void)
{
	test_sort();
	test_growth();
	test_growth_of_many();
	test_edges();
	test_random();
	test_time();
	return test_end();
}
