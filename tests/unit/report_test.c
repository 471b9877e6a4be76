/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves: the report's bytes are those of the specification (memleak's format and the [dwunw]
 * line), for stacks walked by frame pointers and by libdwunw, complete or not, with block lists and
 * registers; that the ages, the median and the growth of --details are those of the blocks shown, --sort has its order and the
 * peak its heading; that with only_complete the sums behind them make up everything; that the largest come first in a stable order, young blocks stay out, hostile names
 * cannot reach the terminal, sums are those of a naive count over random snapshots, and that time
 * grows with the number of blocks, not with its square.
 */
#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../test.h"
#include "growth.h"

#define MS 1000000ULL

static const struct tm when = {.tm_hour = 9, .tm_min = 5, .tm_sec = 3};

/* The report over `snapshot` as text; NULL where it failed. To be freed. */
static char *report(const struct report_snapshot *snapshot, const struct report_options *options)
{
	struct report_groups groups;
	char *text = NULL;
	size_t size = 0;
	FILE *out;

	if (report_group(snapshot, options, &groups))
		return NULL;
	out = open_memstream(&text, &size);
	report_print(out, snapshot, &groups, options, &when);
	fclose(out);
	report_groups_free(&groups);
	return text;
}

static bool prints(const struct report_snapshot *snapshot, const struct report_options *options,
		   const char *expected)
{
	char *text = report(snapshot, options);
	bool same = text && !strcmp(text, expected);

	if (!same)
		fprintf(stderr, "expected:\n%s\ngot:\n%s\n", expected, text ? text : "(error)");
	free(text);
	return same;
}

static struct report_frame frames_a[] = {
	{.pc = 0x55c2a90fc349,
	 .sp = 0x7ffc10,
	 .ra = 0x55c2a90fc400,
	 .flags = 0,
	 .symbol = "leaf_malloc",
	 .offset = 9,
	 .module = "/srv/bin/served"},
	{.pc = 0x55c2a90fc400,
	 .sp = 0x7ffc20,
	 .ra = 0x55c2a90fc0c1,
	 .flags = 2,
	 .symbol = "main",
	 .offset = 0,
	 .module = "/srv/bin/served"},
	{.pc = 0x55c2a90fc0c1,
	 .sp = 0x7ffc30,
	 .ra = 0,
	 .flags = 0,
	 .symbol = "_start",
	 .offset = 0x21,
	 .module = "/srv/bin/served"},
};
static struct report_frame frames_b[] = {
	{.pc = 0x7f0000001234,
	 .sp = 0,
	 .ra = 0,
	 .flags = 0,
	 .symbol = NULL,
	 .offset = 0,
	 .module = "/opt/stripped.so"},
	{.pc = 0x10, .sp = 0, .ra = 0, .flags = 0, .symbol = NULL, .offset = 0, .module = NULL},
};
static struct report_stack stacks[] = {
	{.id = 40,
	 .walked_by_dwunw = true,
	 .pid = 1234,
	 .comm = "served",
	 .n_frames = 3,
	 .frames = frames_a},
	{.id = 30, .n_frames = 2, .frames = frames_b},
	{.id = 20,
	 .walked_by_dwunw = true,
	 .pid = 5,
	 .comm = "fifteen-bytes-x",
	 .stop = "mapping without unwind table",
	 .n_frames = 1,
	 .frames = frames_b},
	{.id = 10},
};
static struct report_block blocks[] = {
	{0x5000, 16, 100 * MS, 1, 0},	      {0x56011f97bd00, 1001, 300 * MS, 0, 0},
	{0x3000, 32, 200 * MS, 1, 0},	      {0x56011f97b000, 1001, 600 * MS, 0, 0},
	{0x7fffffff0000, 48, 900 * MS, 2, 0}, {0x4000, 0, 900 * MS, 1, 0},
};
static const struct report_snapshot snapshot = {
	.blocks = blocks, .n_blocks = 6, .stacks = stacks, .n_stacks = 4};

#define HEADING(n) "[9:5:3] Top " #n " stacks with outstanding allocations:\n"
#define FRAMES_A                                                                                   \
	"\t0 [<000055c2a90fc349>] leaf_malloc+0x9 [/srv/bin/served]\n"                             \
	"\t1 [<000055c2a90fc400>] main+0x0 [/srv/bin/served]\n"                                    \
	"\t2 [<000055c2a90fc0c1>] _start+0x21 [/srv/bin/served]\n"
#define FRAME_B0 "\t0 [<00007f0000001234>] <null sym> [/opt/stripped.so]\n"
#define FRAMES_B FRAME_B0 "\t1 [<0000000000000010>] <null sym>\n"

static void test_plain(void)
{
	struct report_options options = {.top_stacks = 10, .now_ns = 1000 * MS};

	/* stacks 2 and 1 hold 48 bytes each: the lower id first */
	CHECK(prints(&snapshot, &options,
		     HEADING(3) "2002 bytes in 2 allocations from stack\n"
				"\t[dwunw] pid=1234 comm=served frames=3\n" FRAMES_A
				"48 bytes in 1 allocations from stack\n"
				"\t[dwunw] pid=5 comm=fifteen-bytes-x frames=1, incomplete: "
				"mapping without unwind table\n" FRAME_B0
				"48 bytes in 3 allocations from stack\n" FRAMES_B));
}

/* Kernel mode: the kernel's own functions have no module behind them. */
static void test_kernel(void)
{
	struct report_options options = {.top_stacks = 10, .show_allocs = true};
	struct report_frame frames[] = {
		{.pc = 0xffffffff81630014, .symbol = "__kmalloc_noprof", .offset = 0x244},
		{.pc = 0xffffffffc0a01010,
		 .symbol = "nft_rule",
		 .offset = 0x10,
		 .module = "nf_tables"},
		{.pc = 0xffffffff81000130},
	};
	struct report_stack stack = {.id = 4, .n_frames = 3, .frames = frames};
	struct report_block block = {.addr = 0xffff888176db2200, .size = 96};
	const struct report_snapshot kernel = {
		.blocks = &block, .n_blocks = 1, .stacks = &stack, .n_stacks = 1};

	CHECK(prints(&kernel, &options,
		     HEADING(1) "96 bytes in 1 allocations from stack\n"
				"\taddr = 0xffff888176db2200 size = 96\n"
				"\t0 [<ffffffff81630014>] __kmalloc_noprof+0x244\n"
				"\t1 [<ffffffffc0a01010>] nft_rule+0x10 [nf_tables]\n"
				"\t2 [<ffffffff81000130>] <null sym>\n"));
}

/* Inlined functions come before the one that they are in, without a number: frames=1. Names are checked for control characters as all are. */
static void test_lines(void)
{
	struct report_options options = {.top_stacks = 1, .registers = true};
	static const struct inlined_function inlined[] = {
		{"read_token", {"src/http/token.h", 31, 9}},
		{"odd\x1bname", {NULL, 0, 0}},
	};
	struct report_frame frame = {
		.pc = 0x564000001041,
		.symbol = "parse_header",
		.offset = 0x41,
		.module = "/usr/sbin/served",
		.place = {"src/http/parse.c", 218, 4},
		.inlined = inlined,
		.n_inlined = 2,
		.name_source = ".symtab",
		.line_source = "debug information",
	};
	struct report_stack stack = {.walked_by_dwunw = true,
				     .comm = "served",
				     .pid = 1,
				     .n_frames = 1,
				     .frames = &frame};
	struct report_block block = {1, 8, 0, 0, 0};
	const struct report_snapshot one = {
		.blocks = &block, .n_blocks = 1, .stacks = &stack, .n_stacks = 1};

	CHECK(prints(&one, &options,
		     HEADING(1) "8 bytes in 1 allocations from stack\n"
				"\t[dwunw] pid=1 comm=served frames=1\n"
				"\t  read_token src/http/token.h:31 (inlined)\n"
				"\t  odd\\x1bname (inlined)\n"
				"\t0 [<0000564000001041>] parse_header+0x41 "
				"src/http/parse.c:218 [/usr/sbin/served]\n"
				"  [dwunw] #0 pc=0x564000001041 flags=0 "
				"module=/usr/sbin/served, name from .symtab, line from debug "
				"information, column 4\n"));
}

/* -W force: what is no whole DWARF stack is behind the others, as sums that make up all that is outstanding. */
static void test_apart(void)
{
	struct report_options options = {
		.top_stacks = 10, .now_ns = 1000 * MS, .only_complete = true};
	struct report_stack walked[] = {
		stacks[0],
		{.id = 7, .walked_by_dwunw = true, .stop = "ring buffer full"},
		stacks[2],
		{.id = 9, .walked_by_dwunw = true, .stop = "ring buffer full"},
		{.id = 8, .walked_by_dwunw = true, .n_by_frame_pointer = 2, .comm = "fp"},
	};
	struct report_block held[] = {{1, 10, 0, 1, 0}, {2, 20, 0, 2, 0}, {3, 30, 0, 3, 0},
				      {4, 5, 0, 4, 0},	{5, 1, 0, 0, 0},  {6, 2, 0, 0, 0},
				      {7, 9, 0, 1, 0}};
	const struct report_snapshot apart = {
		.blocks = held, .n_blocks = 7, .stacks = walked, .n_stacks = 5};

	CHECK(prints(
		&apart, &options,
		HEADING(1) "3 bytes in 2 allocations from stack\n"
			   "\t[dwunw] pid=1234 comm=served frames=3\n" FRAMES_A
			   "[dwunw] 3 bytes in 2 allocations, stack complete\n"
			   "[dwunw] 49 bytes in 3 allocations, stack cut short: ring buffer full\n"
			   "[dwunw] 20 bytes in 1 allocations, stack cut short: mapping without "
			   "unwind table\n"
			   "[dwunw] 5 bytes in 1 allocations, stack cut short: code without call "
			   "frame information, left by frame pointer\n"));
	/* else it is shown, and marked */
	options.only_complete = false;
	options.top_stacks = 1;
	held[3].size = 500;
	CHECK(prints(&apart, &options,
		     HEADING(1) "500 bytes in 1 allocations from stack\n"
				"\t[dwunw] pid=0 comm=fp frames=0, 2 by frame pointer\n"));
}

/* More reasons than are told apart: none is lost. */
static void test_many_reasons(void)
{
	struct report_options options = {.top_stacks = 1, .only_complete = true};
	static struct report_stack many[40];
	static struct report_block held[40];
	static char reasons[40][8];
	const struct report_snapshot apart = {
		.blocks = held, .n_blocks = 40, .stacks = many, .n_stacks = 40};
	unsigned long long bytes = 0, sum = 0, blocks;
	char *text, *line;
	size_t lines = 0;

	for (uint32_t i = 0; i < 40; i++) {
		snprintf(reasons[i], sizeof(reasons[i]), "r%u", i);
		many[i] = (struct report_stack){.id = i, .stop = reasons[i]};
		held[i] = (struct report_block){i, i + 1, 0, i, 0};
		sum += i + 1;
	}
	text = report(&apart, &options);
	CHECK(text && strstr(text, "cut short: other reasons\n"));
	for (line = text; line && (line = strstr(line, "[dwunw] ")); line++) {
		unsigned long long n;

		if (sscanf(line, "[dwunw] %llu bytes in %llu allocations", &n, &blocks) == 2) {
			bytes += n;
			lines++;
		}
	}
	CHECK(bytes == sum && lines == 32);
	free(text);
}

static void test_allocs(void)
{
	struct report_options options = {
		.top_stacks = 10, .show_allocs = true, .now_ns = 1000 * MS};

	CHECK(prints(&snapshot, &options,
		     HEADING(3) "2002 bytes in 2 allocations from stack\n"
				"\t[dwunw] pid=1234 comm=served frames=3\n"
				"\taddr = 0x56011f97b000 size = 1001\n"
				"\taddr = 0x56011f97bd00 size = 1001\n" FRAMES_A
				"48 bytes in 1 allocations from stack\n"
				"\t[dwunw] pid=5 comm=fifteen-bytes-x frames=1, incomplete: "
				"mapping without unwind table\n"
				"\taddr = 0x7fffffff0000 size = 48\n" FRAME_B0
				"48 bytes in 3 allocations from stack\n"
				"\taddr = 0x3000 size = 32\n"
				"\taddr = 0x4000 size = 0\n"
				"\taddr = 0x5000 size = 16\n" FRAMES_B));
}

static void test_top(void)
{
	struct report_options options = {.top_stacks = 1, .now_ns = 1000 * MS};
	struct report_groups groups;

	CHECK(prints(&snapshot, &options,
		     HEADING(1) "2002 bytes in 2 allocations from stack\n"
				"\t[dwunw] pid=1234 comm=served frames=3\n" FRAMES_A));
	/* what is not shown is counted all the same */
	CHECK(report_group(&snapshot, &options, &groups) == 0);
	CHECK(groups.n_groups == 3 && groups.bytes == 2098 && groups.blocks == 6);
	CHECK(groups.all_bytes == 2098 && groups.all_blocks == 6 && !groups.order);
	report_groups_free(&groups);
}

static void test_age(void)
{
	struct report_options options = {.top_stacks = 10, .now_ns = 1000 * MS};

	options.min_age_ns = 700 * MS; /* 300 ms is exactly as old as asked for */
	CHECK(prints(&snapshot, &options,
		     HEADING(2) "1001 bytes in 1 allocations from stack\n"
				"\t[dwunw] pid=1234 comm=served frames=3\n" FRAMES_A
				"48 bytes in 2 allocations from stack\n" FRAMES_B));
	options.min_age_ns = 700 * MS + 1;
	CHECK(prints(&snapshot, &options,
		     HEADING(1) "48 bytes in 2 allocations from stack\n" FRAMES_B));
	options.min_age_ns = 1000 * MS;
	CHECK(prints(&snapshot, &options, HEADING(0)));
	/* newer than the clock was read: young, not ancient */
	options.now_ns = 50 * MS;
	options.min_age_ns = 1;
	CHECK(prints(&snapshot, &options, HEADING(0)));
}

static void test_registers(void)
{
	struct report_options options = {.top_stacks = 10, .registers = true, .now_ns = 1000 * MS};
	struct report_snapshot two = {
		.blocks = blocks + 1, .n_blocks = 4, .stacks = stacks, .n_stacks = 3};

	stacks[0].have_registers = true;
	CHECK(prints(&two, &options,
		     HEADING(3) "2002 bytes in 2 allocations from stack\n"
				"\t[dwunw] pid=1234 comm=served frames=3\n" FRAMES_A
				"  [dwunw] #0 pc=0x55c2a90fc349 sp=0x7ffc10 ra=0x55c2a90fc400 "
				"flags=0 module=/srv/bin/served\n"
				"  [dwunw] #1 pc=0x55c2a90fc400 sp=0x7ffc20 ra=0x55c2a90fc0c1 "
				"flags=0x2 module=/srv/bin/served\n"
				"  [dwunw] #2 pc=0x55c2a90fc0c1 sp=0x7ffc30 ra=0 flags=0 "
				"module=/srv/bin/served\n"
				"48 bytes in 1 allocations from stack\n"
				"\t[dwunw] pid=5 comm=fifteen-bytes-x frames=1, incomplete: "
				"mapping without unwind table\n" FRAME_B0
				"  [dwunw] #0 pc=0x7f0000001234 flags=0 module=/opt/stripped.so\n"
				"32 bytes in 1 allocations from stack\n" FRAMES_B));
	stacks[0].have_registers = false;
}

/* The ages and the growth under the line of the process, before the blocks. */
static void test_details(void)
{
	struct report_options options = {
		.top_stacks = 2, .details = true, .show_allocs = true, .now_ns = 1000 * MS};

	CHECK(prints(&snapshot, &options,
		     HEADING(2) "2002 bytes in 2 allocations from stack\n"
				"\t[dwunw] pid=1234 comm=served frames=3\n"
				"\t[memleak] oldest=0.700s median=0.700s growth=+2002 bytes in +2 "
				"allocations\n"
				"\taddr = 0x56011f97b000 size = 1001\n"
				"\taddr = 0x56011f97bd00 size = 1001\n" FRAMES_A
				"48 bytes in 1 allocations from stack\n"
				"\t[dwunw] pid=5 comm=fifteen-bytes-x frames=1, incomplete: "
				"mapping without unwind table\n"
				"\t[memleak] oldest=0.100s median=0.100s growth=+48 bytes in +1 "
				"allocations\n"
				"\taddr = 0x7fffffff0000 size = 48\n" FRAME_B0));
	/* the median of 100, 800 and 900 ms; without it there is nothing to be sorted by age */
	options.show_allocs = false;
	options.top_stacks = 1;
	options.sort = REPORT_SORT_AGE;
	CHECK(prints(&snapshot, &options,
		     HEADING(1) "48 bytes in 3 allocations from stack\n"
				"\t[memleak] oldest=0.900s median=0.800s growth=+48 bytes in +3 "
				"allocations\n" FRAMES_B));
	/* of the blocks that are shown alone */
	options.min_age_ns = 850 * MS;
	CHECK(prints(&snapshot, &options,
		     HEADING(1) "16 bytes in 1 allocations from stack\n"
				"\t[memleak] oldest=0.900s median=0.900s growth=+16 bytes in +1 "
				"allocations\n" FRAMES_B));
}

/* Sums have no ages, and count as many blocks as they stand for. */
static void test_no_ages(void)
{
	static struct report_stack one = {.id = 1, .pid = 1};
	static struct report_block sums[] = {{.size = 30, .others = 2}, {.size = 5}};
	const struct report_snapshot s = {
		.blocks = sums, .n_blocks = 2, .stacks = &one, .n_stacks = 1};
	struct report_options options = {
		.top_stacks = 1, .details = true, .no_ages = true, .now_ns = 1000 * MS};

	CHECK(prints(&s, &options,
		     HEADING(1) "35 bytes in 4 allocations from stack\n"
				"\t[memleak] growth=+35 bytes in +4 allocations\n"));
}

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
	struct report_options options = {
		.top_stacks = 3, .details = true, .sort = REPORT_SORT_GROWTH};
	struct report_groups groups;
	struct growth *last = NULL;

	CHECK(!strcmp(order_of(&s, &options), "1 2 3")); /* the first: all of it has grown */
	CHECK(report_group(&s, &options, &groups) == 0);
	CHECK(growth_create(&s, &groups, &last) == 0);
	report_groups_free(&groups);
	s.n_blocks = 5;
	held[0].size = 900; /* 1: 100 bytes less; 2: one more; 3: five more */
	options.last = last;
	CHECK(prints(&s, &options,
		     HEADING(3) "15 bytes in 2 allocations from stack\n"
				"\t[memleak] oldest=0.000s median=0.000s growth=+5 bytes in +1 "
				"allocations\n"
				"101 bytes in 2 allocations from stack\n"
				"\t[memleak] oldest=0.000s median=0.000s growth=+1 bytes in +1 "
				"allocations\n"
				"900 bytes in 1 allocations from stack\n"
				"\t[memleak] oldest=0.000s median=0.000s growth=-100 bytes in +0 "
				"allocations\n"));
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

static void test_peak(void)
{
	struct report_options options = {.top_stacks = 1, .peak = true, .now_ns = 1000 * MS};

	CHECK(prints(&snapshot, &options,
		     "[9:5:3] Peak: 2098 bytes in 6 allocations, top 1 stacks:\n"
		     "2002 bytes in 2 allocations from stack\n"
		     "\t[dwunw] pid=1234 comm=served frames=3\n" FRAMES_A));
}

static void test_hostile_names(void)
{
	struct report_frame frame = {.pc = 1, .offset = 1};
	struct report_stack stack = {.walked_by_dwunw = true, .n_frames = 1, .frames = &frame};
	struct report_block block = {0x10, 1, 0, 0, 0};
	struct report_snapshot one = {
		.blocks = &block, .n_blocks = 1, .stacks = &stack, .n_stacks = 1};
	struct report_options options = {.top_stacks = 1};

	stack.stop = "why";				     /* lies behind comm in memory */
	memcpy(stack.comm, "\x1b[2J\n\xff\tnul-less..", 16); /* not terminated */
	frame.symbol = "ns::f\x1b]0;t\a\x7f(int)";
	/* valid UTF-8 stays; C1 control, overlong slash, surrogate, cut-off, too large do not */
	frame.module =
		"/\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xa7/\xc2\x9b/\xc0\xaf/\xed\xa0\x80/\xe2\x82"
		"/\xf4\x90\x80\x80/\xf8\xe2\x82";
	CHECK(prints(
		&one, &options,
		HEADING(1) "1 bytes in 1 allocations from stack\n"
			   "\t[dwunw] pid=0 comm=\\x1b[2J\\x0a\\xff\\x09nul-less. frames=1, "
			   "incomplete: why\n"
			   "\t0 [<0000000000000001>] ns::f\\x1b]0;t\\x07\\x7f(int)+0x1 "
			   "[/\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\xa7/\\xc2\\x9b/\\xc0\\xaf/"
			   "\\xed\\xa0\\x80/\\xe2\\x82/\\xf4\\x90\\x80\\x80/\\xf8\\xe2\\x82]\n"));
}

static void test_edges(void)
{
	struct report_options options = {.top_stacks = 10};
	struct report_snapshot empty = {0}, bad = snapshot;
	struct report_block huge[] = {{1, UINT64_MAX, 0, 0, 0}, {2, 2, 0, 0, 0}, {3, 5, 0, 1, 0}};
	struct report_snapshot sums = {
		.blocks = huge, .n_blocks = 3, .stacks = stacks, .n_stacks = 4};
	struct report_groups groups = {.n_groups = 77};

	CHECK(prints(&empty, &options, HEADING(0)));
	/* a block of no stack is refused, not dropped */
	bad.n_stacks = 2;
	CHECK(report_group(&bad, &options, &groups) == -EINVAL && groups.n_groups == 77);
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

/* With -C a block stands for all of its stack. */
static void test_sums(void)
{
	struct report_stack stack = {.id = 1};
	struct report_block sum = {.size = 4096, .others = 31};
	const struct report_snapshot one = {
		.blocks = &sum, .n_blocks = 1, .stacks = &stack, .n_stacks = 1};
	const struct report_options options = {.top_stacks = 1};

	CHECK(prints(&one, &options, HEADING(1) "4096 bytes in 32 allocations from stack\n"));
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
	test_sums();
	test_plain();
	test_kernel();
	test_lines();
	test_apart();
	test_many_reasons();
	test_allocs();
	test_top();
	test_age();
	test_registers();
	test_details();
	test_no_ages();
	test_sort();
	test_growth();
	test_growth_of_many();
	test_peak();
	test_hostile_names();
	test_edges();
	test_random();
	test_time();
	return test_end();
}
