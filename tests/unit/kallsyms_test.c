/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves: addresses get the function that a linear search over the lines finds, for lines of the running kernel where they may be
 * seen and for invented ones; the last byte before a function belongs to the one before it, a module's functions carry its name;
 * lines that are none (cut, too long, other types, no address) change nothing; hidden addresses are told as such; the frames of
 * the tracepoint are found.
 */
#include "kallsyms.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../test.h"

static int read_text(const char *text, struct kallsyms **ret)
{
	FILE *file = fmemopen((void *)text, strlen(text), "r");
	int err = kallsyms_read(file, ret);

	fclose(file);
	return err;
}

/* "NAME+OFFSET MODULE" as it is at `addr`. */
static int is_at(const struct kallsyms *symbols, uint64_t addr, const char *expected)
{
	struct symbol symbol = {.offset = 77};
	char text[256];

	kallsyms_find(symbols, addr, &symbol);
	snprintf(text, sizeof(text), "%s+%llu %s", symbol.name ? symbol.name : "-",
		 (unsigned long long)symbol.offset, symbol.module ? symbol.module : "-");
	if (strcmp(text, expected))
		fprintf(stderr, "%llx: %s, not %s\n", (unsigned long long)addr, text, expected);
	return strcmp(text, expected) == 0;
}

/* As three kernels print them, in their order. */
static const char real_lines[] = "0000000000000000 A fixed_percpu_data\n"
				 "ffffffff81000000 T _stext\n"
				 "ffffffff81000000 T _text\n"
				 "ffffffff81000070 t secondary_startup\n"
				 "ffffffff81200000 T do_sys_open\n"
				 "ffffffff81200100 W weak_function\n"
				 "ffffffff82000000 D a_variable\n"
				 "ffffffffc0a01000 t helper.isra.0\t[nf_tables]\n"
				 "ffffffffc0a00000 T nft_do_chain\t[nf_tables]\n"
				 "ffffffffc0900000 t ext4_bread\t[ext4]\n"
				 "ffffffffc0002b50 t bpf_prog_6deef7357e7b4530\t[bpf]\n";

static void test_real_lines(void)
{
	struct kallsyms *symbols;

	CHECK(read_text(real_lines, &symbols) == 0);
	CHECK(is_at(symbols, 0xffffffff80ffffff, "-+0 -"));
	CHECK(is_at(symbols, 0xffffffff81000000, "-+0 -")); /* a return address to before it */
	CHECK(is_at(symbols, 0xffffffff81000001, "_stext+1 -"));
	CHECK(is_at(symbols, 0xffffffff81000070, "_stext+112 -"));
	CHECK(is_at(symbols, 0xffffffff81000071, "secondary_startup+1 -"));
	CHECK(is_at(symbols, 0xffffffff81200101, "weak_function+1 -"));
	CHECK(is_at(symbols, 0xffffffffc0002b60, "bpf_prog_6deef7357e7b4530+16 bpf"));
	CHECK(is_at(symbols, 0xffffffffc0900010, "ext4_bread+16 ext4"));
	CHECK(is_at(symbols, 0xffffffffc0a00fff, "nft_do_chain+4095 nf_tables"));
	CHECK(is_at(symbols, 0xffffffffffffffff, "helper.isra.0+1063251967 nf_tables"));
	CHECK(is_at(symbols, 0, "-+0 -"));
	kallsyms_destroy(symbols);
}

static void test_hostile_lines(void)
{
	static const char *const lines[] = {
		"",
		"\n",
		"zz T name",
		"-1000 T name",
		" 1000 T n",
		"1000",
		"1000 T",
		"1000 T ",
		"1000  name",
		"1000 TT name",
		"1000T name",
		"10000000000000000000000 t name",
		"0 T name",
		"2000 T \t[mod]",
		"\xff\xfe\xfd T x",
		"1000 \n",
	};
	struct kallsyms *symbols;
	struct symbol symbol;
	char *text = malloc(16384);

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		snprintf(text, 16384, "%s\n3000 T after", lines[i]);
		CHECK(read_text(text, &symbols) == 0);
		CHECK(is_at(symbols, 0x2fff, "-+0 -"));
		CHECK(is_at(symbols, 0x3001, "after+1 -"));
		kallsyms_destroy(symbols);
	}
	/* a line longer than any: left out as a whole, also its end, which looks like a line */
	strcpy(text, "1000 T first\n1100 T ");
	memset(text + strlen(text), 'x', 12288 - 1 - strlen("1000 T first\n1100 T "));
	strcpy(text + 12287, "\n1200 T after\n");
	CHECK(read_text(text, &symbols) == 0);
	CHECK(is_at(symbols, 0x1150, "first+336 -"));
	CHECK(is_at(symbols, 0x1201, "after+1 -"));
	kallsyms_destroy(symbols);
	/* a name of the greatest length, and a bracket without end */
	memset(text, 'y', 600);
	memcpy(text, "1000 T ", 7);
	strcpy(text + 512, "\t[mod\n");
	CHECK(read_text(text, &symbols) == 0);
	kallsyms_find(symbols, 0x1001, &symbol);
	CHECK(symbol.name && strlen(symbol.name) == 505 && !strcmp(symbol.module, "mod"));
	kallsyms_destroy(symbols);
	free(text);
}

static void test_hidden(void)
{
	struct kallsyms *symbols = NULL;
	FILE *directory = fopen("/", "r");

	CHECK(read_text("0000000000000000 T _stext\n0000000000000000 t x\t[m]\n", &symbols) ==
	      -EACCES);
	CHECK(directory && kallsyms_read(directory, &symbols) == -EIO);
	CHECK(!symbols);
	fclose(directory);
	/* no function at all is no secret */
	CHECK(read_text("0000000000000000 D x\n", &symbols) == 0);
	CHECK(is_at(symbols, 5, "-+0 -"));
	kallsyms_destroy(symbols);
	kallsyms_destroy(NULL);
}

/* The name that a walk over all lines finds: the first of those with the greatest address before `addr`. */
static void naive(const char *text, uint64_t addr, char *name, size_t size)
{
	unsigned long long best = 0;

	snprintf(name, size, "-");
	for (const char *line = text; line && *line; line = strchr(line, '\n') + 1) {
		char *type;
		unsigned long long at = strtoull(line, &type, 16);

		if (!strchr("tTwW", type[1]) || at >= addr || at <= best)
			continue;
		best = at;
		snprintf(name, size, "%.*s", (int)strcspn(type + 3, "\t\n"), type + 3);
	}
}

static void test_running_kernel(void)
{
	FILE *file = fopen("/proc/kallsyms", "r");
	struct kallsyms *symbols;
	char *text = NULL, name[600];
	size_t size = 0;
	uint64_t state = 1;
	int err = file ? kallsyms_read(file, &symbols) : -ENOENT;

	if (err) /* not for this user to see */
		return;
	rewind(file);
	if (getdelim(&text, &size, '\0', file) < 0)
		exit(1);
	fclose(file);
	for (unsigned int i = 0; i < 20; i++) {
		struct symbol symbol;
		uint64_t addr;

		state = state * 6364136223846793005 + 1442695040888963407;
		addr = 0xffffffff81000001 + (state >> 33) % (16 << 20);
		kallsyms_find(symbols, addr, &symbol);
		naive(text, addr, name, sizeof(name));
		CHECK(strcmp(symbol.name ? symbol.name : "-", name) == 0);
	}
	free(text);
	kallsyms_destroy(symbols);
}

static void test_probe_frames(void)
{
	static const char lines[] = "1000 T bpf_trace_run5\n2000 T __bpf_trace_kmalloc\n"
				    "3000 T __traceiter_kmalloc\n4000 T __kmalloc\n5000 T open\n";
	static const struct {
		uint64_t pcs[6];
		size_t n, expected;
	} cases[] = {
		{{0xf000, 0x1010, 0x4010, 0x5010}, 4, 2}, /* as on 6.18 */
		{{0xf000, 0x1010, 0x2010, 0x3010, 0x4010, 0x5010}, 6, 4},
		{{0x1010, 0x4010}, 2, 1},
		{{0x2010, 0x4010}, 2, 1},
		{{0x4010, 0x5010}, 2, 0},
		{{0x4010, 0x5010, 0x5020, 0x5030, 0x1010}, 5, 0}, /* deep: the kernel's own */
		{{0x1010}, 1, 1},
		{{0}, 0, 0},
	};
	struct kallsyms *symbols;

	CHECK(read_text(lines, &symbols) == 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK(kallsyms_probe_frames(symbols, cases[i].pcs, cases[i].n) ==
		      cases[i].expected);
	kallsyms_destroy(symbols);
}

int main(void)
{
	test_real_lines();
	test_hostile_lines();
	test_hidden();
	test_running_kernel();
	test_probe_frames();
	return test_end();
}
