/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves: of several snapshots the one of the highest total is kept, the first of equal ones, also where all are empty; and its
 * report is that of its time, whatever becomes of the snapshot and its names.
 */
#include "peak.h"

#include <stdlib.h>
#include <string.h>

#include "../test.h"
#include "report.h"

static struct peak peak;
static char name[] = "first";

/* What a session does with a snapshot of one block. */
static void see(uint64_t size, int hour)
{
	struct report_frame frame = {.pc = 1, .symbol = name};
	struct report_stack stack = {.id = 1, .n_frames = 1, .frames = &frame};
	struct report_block block = {.addr = 1, .size = size};
	const struct report_snapshot snapshot = {
		.blocks = &block, .n_blocks = size > 0, .stacks = &stack, .n_stacks = 1};
	const struct report_options options = {.top_stacks = 3};
	const struct tm when = {.tm_hour = hour};
	struct report_groups groups;

	CHECK(report_group(&snapshot, &options, &groups) == 0);
	if (peak_is_new(&peak, groups.bytes))
		CHECK(peak_keep(&peak, &snapshot, &groups, &options, &when) == 0);
	report_groups_free(&groups);
}

static int shows(const char *expected)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int same;

	peak_print(out, &peak);
	fclose(out);
	same = !strcmp(text, expected);
	if (!same)
		fprintf(stderr, "expected:\n%s\ngot:\n%s\n", expected, text);
	free(text);
	return same;
}

#define ONE(bytes, name)                                                                           \
	bytes " bytes in 1 allocations from stack\n\t0 [<0000000000000001>] " name "+0x0\n"

int main(void)
{
	see(0, 1);
	CHECK(shows("[1:0:0] Peak: 0 bytes in 0 allocations, top 0 stacks:\n"));
	see(10, 2);
	CHECK(shows("[2:0:0] Peak: 10 bytes in 1 allocations, top 1 stacks:\n" ONE("10", "first")));
	strcpy(name, "other");
	see(9, 3);
	see(10, 4);
	CHECK(shows("[2:0:0] Peak: 10 bytes in 1 allocations, top 1 stacks:\n" ONE("10", "first")));
	see(11, 5);
	CHECK(shows("[5:0:0] Peak: 11 bytes in 1 allocations, top 1 stacks:\n" ONE("11", "other")));
	peak_free(&peak);
	return test_end();
}
