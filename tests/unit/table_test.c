/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves that a table says the same as interpreting the CFI anew, for libraries of this system: at
 * the first and last byte of every row and at random addresses; that a malformed FDE leaves nothing
 * behind in the table; and that a table with any byte changed is either refused or can be walked
 * (table_check).
 */
#include <dlfcn.h>
#include <dwarf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "arch/arch.h"
#include "cfi/cfi.h"
#include "elf/elf_file.h"
#include "table/table.h"
#include "elf_image.h"
#include "../test.h"

#define N_RANDOM 20000
#define MIN_GAP 16 /* table.h: shorter gaps belong to the row before */

struct file {
	struct elf_file *elf;
	struct cfi *cfi;
	struct table *table;
	size_t differences;
	uint64_t lowest, highest;
};

static uint64_t random_state = 88172645463325252ULL;

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static bool has_row(const struct file *file, uint64_t vaddr)
{
	struct cfi_row row;

	return cfi_find_row(file->cfi, vaddr, &row) == 0;
}

/* The rule of an address without CFI: none, or in a small gap the one before the gap. */
static bool gap_is_right(const struct file *file, uint64_t vaddr, const struct dwunw_rule *rule)
{
	uint64_t first = vaddr, end = vaddr;

	if (rule->frame.cfa_kind == DWUNW_NO_RULE)
		return true;
	while (vaddr - first < MIN_GAP && !has_row(file, first - 1))
		first--;
	while (end - vaddr < MIN_GAP && !has_row(file, end))
		end++;
	return end - first < MIN_GAP && rule == table_find_rule(file->table, first - 1);
}

static void compare_at(struct file *file, uint64_t vaddr)
{
	const struct dwunw_rule *rule = table_find_rule(file->table, vaddr);
	struct dwunw_rule expected;
	struct cfi_row row;
	bool same;

	if (cfi_find_row(file->cfi, vaddr, &row)) {
		same = gap_is_right(file, vaddr, rule);
	} else {
		rule_from_row(cfi_arch(file->cfi), &row, &expected);
		same = !memcmp(rule, &expected, sizeof(expected));
	}
	if (!same && file->differences++ == 0)
		fprintf(stderr, "first difference at %#lx\n", (unsigned long)vaddr);
}

static int on_row(const struct cfi_row *row, void *arg)
{
	struct file *file = arg;

	compare_at(file, row->start);
	compare_at(file, row->end - 1);
	if (row->start < file->lowest)
		file->lowest = row->start;
	if (row->end > file->highest)
		file->highest = row->end;
	return 0;
}

static int on_fde(bool is_good, void *arg)
{
	struct file *file = arg;

	file->differences += !is_good;
	return 0;
}

static bool open_file(const char *path, struct file *file)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	*file = (struct file){.lowest = UINT64_MAX};
	if (fd < 0 || elf_file_open(fd, &file->elf)) {
		close(fd);
		return false;
	}
	close(fd);
	return !cfi_open(file->elf, NULL, &file->cfi) && !table_build(file->cfi, &file->table);
}

static void close_file(struct file *file)
{
	table_destroy(file->table);
	cfi_close(file->cfi);
	elf_file_close(file->elf);
}

static void test_equal(const char *path)
{
	struct cfi_stats stats;
	struct file file;

	if (access(path, R_OK)) {
		printf("skipped: %s is not here\n", path);
		return;
	}
	CHECK(open_file(path, &file));
	if (!file.table)
		return;
	CHECK(table_check(file.table->header, file.table->header->size) == 0);
	CHECK(cfi_for_each_row(file.cfi, on_row, on_fde, &file, &stats) == 0);
	for (int i = 0; i < N_RANDOM; i++)
		compare_at(&file, file.lowest + next_random() % (file.highest - file.lowest));
	CHECK(file.differences == 0);
	CHECK(stats.rows == file.table->stats.cfi_rows && stats.skipped_fdes == 0);
	CHECK(file.table->stats.rows == file.table->header->n_rows);
	CHECK(file.table->stats.overflow_rows == 0);
	CHECK(table_find_rule(file.table, file.lowest - 0x100000)->frame.cfa_kind == DWUNW_NO_RULE);
	CHECK(table_find_rule(file.table, file.highest + 0x100000)->frame.cfa_kind ==
	      DWUNW_NO_RULE);
	CHECK(table_find_rule(file.table, ~0ULL)->frame.cfa_kind == DWUNW_NO_RULE);
	printf("%s: %zu rows, %zu in the table, %zu rules\n", path, stats.rows,
	       file.table->stats.rows, file.table->stats.rules);
	close_file(&file);
}

/*
 * Every lookup in an image that passed the check stays inside (the sanitizers watch) and finds a
 * rule of it.
 */
static bool can_be_walked(const void *image)
{
	struct table table = {.header = image};
	const char *rules = (const char *)image + table.header->rules;

	for (int i = 0; i < 200; i++) {
		uint64_t vaddr = next_random() % (1ULL << 24);
		const char *rule = (const char *)table_find_rule(&table, vaddr);

		if (rule < rules ||
		    rule + sizeof(struct dwunw_rule) > (const char *)image + table.header->size)
			return false;
	}
	return true;
}

static void test_changed_images(const char *path)
{
	size_t size, refused = 0, walked = 0;
	struct file file;
	uint8_t *copy;

	CHECK(open_file(path, &file));
	if (!file.table)
		return;
	size = file.table->header->size;
	copy = malloc(size);
	for (int i = 0; copy && i < 3000; i++) {
		/* Half of the changes hit the header and the first pages. */
		size_t at = next_random() % (i % 2 ? size : 128);
		size_t cut = i % 16 == 0 ? next_random() % size : size;

		memcpy(copy, file.table->header, size);
		copy[at] ^= 1 << next_random() % 8;
		if (table_check(copy, cut)) {
			refused++;
			continue;
		}
		walked += can_be_walked(copy);
	}
	CHECK(refused + walked == 3000);
	CHECK(refused > 500 && walked > 500);
	CHECK(table_check(file.table->header, size - 1) != 0);
	CHECK(table_check(file.table->header, 0) != 0);
	free(copy);
	close_file(&file);
}

#define EH_VADDR 0x1000
#define PC 0x10000 /* of the first of three functions */
#define FUNCTION_SIZE 0x40000

/* CFA = r7 + 8; FDEs have pc-relative pointers of 4 bytes. */
static void put_cie(struct bytes *eh)
{
	put_uint(eh, 20, 4);
	put_uint(eh, 0, 4);
	put(eh, "\1zR\0\1\x78\20\1\x1b", 9);
	put(eh, (uint8_t[]){DW_CFA_def_cfa, 7, 8, DW_CFA_offset | 16, 1, 0, 0}, 7);
}

/* Returns where the size of its function is. */
static size_t put_fde(struct bytes *eh, uint64_t start, const struct bytes *program)
{
	size_t size = 4 + 4 + 4 + 1 + program->size, at = eh->size;

	put_uint(eh, size, 4);
	put_uint(eh, at + 4, 4);
	put_uint(eh, start - (EH_VADDR + eh->size), 4);
	put_uint(eh, FUNCTION_SIZE, 4);
	put_u8(eh, 0);
	put(eh, program->data, program->size);
	return at + 12;
}

/* `n` rows, each with a rule of its own, the last one far behind the others. */
static void put_rows(struct bytes *program, unsigned int n)
{
	for (unsigned int i = 1; i <= n; i++) {
		if (i == n)
			put(program, (uint8_t[]){DW_CFA_advance_loc4, 0, 0, 2, 0}, 5);
		else
			put_u8(program, DW_CFA_advance_loc | 1);
		put_u8(program, DW_CFA_def_cfa_offset);
		put_uleb(program, 8 + 8 * i);
	}
}

static struct table *build_table(const struct bytes *eh)
{
	struct cfi_sections sections = {
		.eh_frame = {eh->data, eh->size, EH_VADDR, SHT_PROGBITS},
	};
	const struct arch *arch = arch_find(EM_X86_64, ELFCLASS64, ELFDATA2LSB);
	struct table *table = NULL;
	struct cfi *cfi;

	CHECK(cfi_open_sections(arch, &sections, &cfi) == 0);
	CHECK(table_build(cfi, &table) == 0);
	CHECK(table_check(table->header, table->header->size) == 0);
	cfi_close(cfi);
	return table;
}

static int cfa_off_at(const struct table *table, uint64_t vaddr)
{
	const struct dwunw_rule *rule = table_find_rule(table, vaddr);

	return rule->frame.cfa_kind == DWUNW_RULE_REG_PLUS ? rule->frame.cfa_off : -1;
}

/*
 * The second of three FDEs has `n_rows` rows before the fault. The table must be that of the same
 * section where the FDE covers no bytes. The third one, of `n_good` rows, has rules that the second
 * one had.
 */
static void test_malformed(unsigned int n_rows, unsigned int n_good, bool past_the_end)
{
	bool overflows = n_good > DWUNW_MAX_RULES;
	uint64_t third = PC + 2 * FUNCTION_SIZE, last;
	struct bytes eh = {0}, good = {0}, bad = {0};
	struct table *table, *expected;
	size_t size_at;

	put_rows(&good, n_good);
	put_rows(&bad, n_rows);
	if (past_the_end)
		put(&bad, (uint8_t[]){DW_CFA_advance_loc4, 0, 0, 8, 0}, 5);
	put_u8(&bad, 0x3f);
	put_cie(&eh);
	put_fde(&eh, PC, &(struct bytes){0});
	size_at = put_fde(&eh, PC + FUNCTION_SIZE, &bad);
	put_fde(&eh, third, &good);
	table = build_table(&eh);
	patch_uint(&eh, size_at, 0, 4);
	expected = build_table(&eh);
	CHECK(table->stats.fdes == 2 && table->stats.skipped_fdes == 1);
	CHECK(expected->stats.fdes == 2 && expected->stats.skipped_fdes == 0);
	CHECK(table->stats.cfi_rows == n_good + 2 && (table->stats.overflow_rows > 0) == overflows);
	CHECK(table->header->size == expected->header->size &&
	      memcmp(table->header, expected->header, table->header->size) == 0);
	CHECK(cfa_off_at(table, PC) == 8 && cfa_off_at(table, PC + FUNCTION_SIZE) == -1);
	CHECK(cfa_off_at(table, third - 1) == -1 && cfa_off_at(table, third) == 8);
	CHECK(cfa_off_at(table, third + 1) == 16);
	last = third + n_good - 1 + 0x20000;
	CHECK(cfa_off_at(table, last - 1) == (overflows ? -1 : 8 * (int)n_good));
	CHECK(cfa_off_at(table, last) == (overflows ? -1 : 8 * (int)n_good + 8));
	table_destroy(table);
	table_destroy(expected);
	free(eh.data);
	free(good.data);
	free(bad.data);
}

/* One thing wrong in a table of two pages, three rows and one rule. */
static void test_check(void)
{
	struct {
		struct dwunw_table_header header;
		struct dwunw_table_page pages[2];
		uint32_t rows[3];
		struct dwunw_rule rules[2];
	} good = {.header = {.magic = DWUNW_TABLE_MAGIC, .version = DWUNW_TABLE_VERSION}}, bad;
	const uint32_t rows = offsetof(__typeof__(good), rows);

	good.header.size = sizeof(good);
	good.header.n_pages = 2;
	good.header.pages = offsetof(__typeof__(good), pages);
	good.header.rows = rows;
	good.header.n_rows = 3;
	good.header.rules = offsetof(__typeof__(good), rules);
	good.header.n_rules = 2;
	good.pages[0] = (struct dwunw_table_page){rows, 2};
	good.pages[1] = (struct dwunw_table_page){rows + 8, 1};
	good.rows[0] = 1;
	good.rows[1] = 0x20 << 16;
	good.rows[2] = 0;
	good.rules[0].frame.cfa_kind = DWUNW_NO_RULE;
	CHECK(table_check(&good, sizeof(good)) == 0);
#define REFUSED(change)                                                                            \
	do {                                                                                       \
		bad = good;                                                                        \
		change;                                                                            \
		CHECK(table_check(&bad, sizeof(bad)) != 0);                                        \
	} while (0)
	REFUSED(bad.header.magic++);
	REFUSED(bad.header.version++);
	REFUSED(bad.header.size++);
	REFUSED(bad.header.n_pages = 1000);
	REFUSED(bad.header.pages = 0xfffffffc);
	REFUSED(bad.header.n_rows = 0x40000000);
	REFUSED(bad.header.rules += 4);
	REFUSED(bad.header.n_rules = 0);
	REFUSED(bad.rows[0] |= 1 << 16); /* the page does not begin with the row in force */
	REFUSED(bad.rows[1] |= 2);	 /* no such rule */
	REFUSED(bad.rows[1] = 0);	 /* not ascending */
	REFUSED(bad.pages[0].n_rows = 4);
	REFUSED(bad.pages[1].rows = rows + 12);
	REFUSED(bad.pages[1].rows -= 4);
	REFUSED(bad.pages[1].rows += 2);
	REFUSED(bad.rules[0].frame.cfa_kind = 0);
	REFUSED(bad.rules[1].frame.cfa_reg = DWUNW_MAX_REGS);
	REFUSED(bad.rules[1].frame.ra_kind = DWUNW_RULE_PLT);
	REFUSED(bad.rules[1].kind[3] = DWUNW_NO_RULE);
	REFUSED(bad.rules[1].reg[3] = DWUNW_MAX_REGS);
	REFUSED(bad.rules[1].frame.saved = 1u << DWUNW_MAX_REGS);
}

/* Where the dynamic linker put the library that `symbol` is in. */
static const char *library_of(void *symbol)
{
	Dl_info info;

	return dladdr(symbol, &info) ? info.dli_fname : "";
}

int main(int argc, char **argv)
{
	const char *libc = library_of((void *)malloc);

	for (int i = 1; i < argc; i++)
		test_equal(argv[i]);
	test_equal(libc);
	test_equal("/proc/self/exe");
	test_equal("/lib64/ld-linux-x86-64.so.2");
	test_equal("/usr/lib/x86_64-linux-gnu/libstdc++.so.6");
	test_equal("/usr/lib/x86_64-linux-gnu/libcrypto.so.3");
	test_equal("/usr/bin/python3");
	test_malformed(0, 2, false);
	test_malformed(3, 2, false);
	test_malformed(3, 2, true);
	/* more rules than a table can have, also in the one that stays */
	test_malformed(DWUNW_MAX_RULES + 100, 2, false);
	test_malformed(DWUNW_MAX_RULES + 100, DWUNW_MAX_RULES + 50, false);
	test_changed_images(libc);
	test_check();
	return test_end();
}
