/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves: the report's bytes are those of the specification (memleak's format and the [dwunw]
 * line), for stacks walked by frame pointers and by libdwunw, complete or not, with block lists and
 * registers, with the lines of --details and the heading of a peak; that with only_complete the sums behind the stacks make up
 * everything; that young blocks stay out, and that hostile names cannot reach the terminal.
 */
#include "report.h"

#include <stdlib.h>
#include <string.h>

#include "../test.h"

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

/* --diff: under each stack and behind all what has changed, also where the numbers are as large as they can be. */
static void test_before(void)
{
	struct report_before before = {
		.when = {.tm_year = 126, .tm_mon = 10, .tm_mday = 3, .tm_hour = 7, .tm_sec = 9},
		.bytes = UINT64_MAX,
		.blocks = 3,
	};
	struct report_options options = {.top_stacks = 10, .details = true, .before = &before};
	struct report_stack stack = {.walked_by_dwunw = true,
				     .comm = "served",
				     .pid = 1,
				     .n_frames = 1,
				     .frames = frames_a};
	struct report_block block = {1, 8, 0, 0, 0};
	const struct report_snapshot one = {
		.blocks = &block, .n_blocks = 1, .stacks = &stack, .n_stacks = 1};
#define SINCE "[memleak] since 2026-11-03 07:00:09: "
#define BEFORE_STACK                                                                               \
	HEADING(1)                                                                                 \
	"8 bytes in 1 allocations from stack\n"                                                    \
	"\t[dwunw] pid=1 comm=served frames=1\n"                                                   \
	"\t[memleak] oldest=0.000s median=0.000s growth=+8 bytes in +1 allocations\n"              \
	"\t" SINCE "+8 bytes in +1 allocations\n"                                                  \
	"\t0 [<000055c2a90fc349>] leaf_malloc+0x9 [/srv/bin/served]\n"

	CHECK(prints(&one, &options,
		     BEFORE_STACK SINCE "-9223372036854775807 bytes in -2 allocations in all\n"));
	before.bytes = 8;
	before.n_gone = 2;
	before.gone_bytes = 7;
	before.gone_blocks = 2;
	CHECK(prints(&one, &options,
		     BEFORE_STACK SINCE "+0 bytes in -2 allocations in all; 2 stacks that held 7 "
					"bytes in 2 allocations hold none now\n"));
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

static void test_empty(void)
{
	const struct report_options options = {.top_stacks = 10};
	const struct report_snapshot empty = {0};

	CHECK(prints(&empty, &options, HEADING(0)));
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

int main(void)
{
	test_sums();
	test_plain();
	test_kernel();
	test_lines();
	test_before();
	test_apart();
	test_many_reasons();
	test_allocs();
	test_top();
	test_age();
	test_registers();
	test_details();
	test_no_ages();
	test_peak();
	test_hostile_names();
	test_empty();
	return test_end();
}
