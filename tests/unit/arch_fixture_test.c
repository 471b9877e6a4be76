/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves, on any machine for every architecture: that the rows of tests/fixtures (sections that cross compilers made, of both
 * byte orders and word sizes) are those that binutils' readelf reads from them; that a lookup by address through
 * .eh_frame_hdr gives the same; and that the table compiled from them is sound and says what the rows say.
 */
#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "arch/arch.h"
#include "cfi/cfi.h"
#include "table/table.h"
#include "../test.h"

#define MAX_SECTION 4096

struct fixture {
	const struct arch *arch;
	struct cfi_sections sections;
	uint8_t bytes[3][MAX_SECTION];
	struct cfi *cfi;
	struct table *table;
};

struct printer {
	const struct fixture *fixture;
	FILE *stream;
	size_t n_rows;
	bool good, found, in_table;
};

static void print_reg(const struct arch *arch, uint32_t reg, FILE *stream)
{
	if (reg < arch->n_reg_names && arch->reg_names[reg])
		fputs(arch->reg_names[reg], stream);
	else
		fprintf(stream, "r%" PRIu32, reg);
}

static void print_rule(const struct arch *arch, const struct cfi_rule *rule, FILE *stream)
{
	switch (rule->kind) {
	case CFI_SAME:
		fputs("s", stream);
		break;
	case CFI_OFFSET:
		fprintf(stream, "c%+" PRId64, rule->off);
		break;
	case CFI_VAL_OFFSET:
		fprintf(stream, "v%+" PRId64, rule->off);
		break;
	case CFI_REGISTER:
		print_reg(arch, rule->reg, stream);
		break;
	case CFI_EXPRESSION:
		fputs("exp", stream);
		break;
	case CFI_VAL_EXPRESSION:
		fputs("vexp", stream);
		break;
	}
}

static void print_row(const struct arch *arch, const struct cfi_row *row, FILE *stream)
{
	const char *gap = "  ";

	fprintf(stream, "%016" PRIx64 " %016" PRIx64 " cfa=", row->start, row->end);
	if (row->cfa.kind == CFI_EXPRESSION) {
		fputs("exp", stream);
	} else {
		print_reg(arch, row->cfa.reg, stream);
		fprintf(stream, "%+" PRId64, row->cfa.off);
	}
	for (unsigned int reg = 0; reg < row->n_regs; reg++) {
		/* readelf shows an unspecified rule as undefined: tests/fixtures/readelf_rows.awk */
		if (row->regs[reg].kind == CFI_UNSPECIFIED || row->regs[reg].kind == CFI_UNDEFINED)
			continue;
		fputs(gap, stream);
		gap = " ";
		if (reg == row->ra_column)
			fputs("ra", stream);
		else
			print_reg(arch, reg, stream);
		fputc('=', stream);
		print_rule(arch, &row->regs[reg], stream);
	}
	fputc('\n', stream);
}

static bool same_rules(const struct cfi_row *a, const struct cfi_row *b)
{
	return a->start == b->start && a->end == b->end && a->fingerprint == b->fingerprint &&
	       a->n_regs == b->n_regs && memcmp(&a->cfa, &b->cfa, sizeof(a->cfa)) == 0 &&
	       memcmp(a->regs, b->regs, a->n_regs * sizeof(a->regs[0])) == 0;
}

static int on_row(const struct cfi_row *row, void *arg)
{
	static struct cfi_row found;
	struct printer *p = arg;
	const struct fixture *f = p->fixture;
	uint64_t vaddrs[] = {row->start, row->end - 1};
	struct dwunw_rule rule;

	print_row(f->arch, row, p->stream);
	p->n_rows++;
	rule_from_row(f->arch, row, &rule);
	for (size_t i = 0; i < 2; i++) {
		p->found &= cfi_find_row(f->cfi, vaddrs[i], &found) == 0 && same_rules(row, &found);
		p->in_table &=
			memcmp(table_find_rule(f->table, vaddrs[i]), &rule, sizeof(rule)) == 0;
	}
	return 0;
}

static int on_fde(bool is_good, void *arg)
{
	struct printer *p = arg;

	p->good &= is_good;
	return 0;
}

/* Reads one hexadecimal line into `bytes`; how many it had. */
static size_t read_hex(const char *line, uint8_t *bytes, size_t max)
{
	size_t n = 0;
	unsigned int byte;

	while (n < max && sscanf(line + 2 * n, "%2x", &byte) == 1)
		bytes[n++] = byte;
	return n;
}

static bool read_fixture(const char *path, struct fixture *f)
{
	static const char *const names[] = {".eh_frame", ".eh_frame_hdr", ".debug_frame"};
	struct elf_section *sections[] = {&f->sections.eh_frame, &f->sections.eh_frame_hdr,
					  &f->sections.debug_frame};
	unsigned int class, data, machine;
	FILE *file = fopen(path, "r");
	size_t at = 0;
	char line[256];

	if (!file)
		return false;
	memset(f, 0, sizeof(*f));
	while (fgets(line, sizeof(line), file)) {
		char name[32];
		uint64_t vaddr;

		if (sscanf(line, "machine %u %u %u", &class, &data, &machine) == 3)
			f->arch = arch_find(machine, class, data);
		if (line[0] == '#' || line[0] == 'm')
			continue;
		if (line[0] == '.' && sscanf(line, "%31s %" SCNx64, name, &vaddr) == 2) {
			for (at = 0; at < 2 && strcmp(name, names[at]) != 0;)
				at++;
			sections[at]->data = f->bytes[at];
			sections[at]->vaddr = vaddr;
			continue;
		}
		sections[at]->size += read_hex(line, f->bytes[at] + sections[at]->size,
					       MAX_SECTION - sections[at]->size);
	}
	fclose(file);
	return f->arch != NULL;
}

/* What is in the file beside `path`, whose name ends in .rows. */
static char *read_golden(const char *path)
{
	char name[256], *text = calloc(1, 65536);
	FILE *file;

	snprintf(name, sizeof(name), "%.*s.rows", (int)(strlen(path) - strlen(".sections")), path);
	file = fopen(name, "r");
	if (file) {
		text[fread(text, 1, 65535, file)] = 0;
		fclose(file);
	}
	return text;
}

static void test_fixture(const char *path)
{
	static struct fixture fixture;
	struct printer printer = {
		.fixture = &fixture, .good = true, .found = true, .in_table = true};
	char *text = NULL, *golden = read_golden(path);
	struct cfi_stats stats;
	size_t size = 0;

	printf("%s\n", path);
	CHECK(read_fixture(path, &fixture));
	CHECK(cfi_open_sections(fixture.arch, &fixture.sections, &fixture.cfi) == 0);
	CHECK(fixture.cfi && table_build(fixture.cfi, &fixture.table) == 0);
	if (fixture.table) {
		CHECK(table_check(fixture.table->header, fixture.table->header->size) == 0);
		CHECK(fixture.table->header->machine == fixture.arch->machine);
		printer.stream = open_memstream(&text, &size);
		CHECK(cfi_for_each_row(fixture.cfi, on_row, on_fde, &printer, &stats) == 0);
		fclose(printer.stream);
		CHECK(stats.skipped_fdes == 0);
		CHECK(printer.n_rows > 20);
		CHECK(printer.good);
		CHECK(printer.found);
		CHECK(printer.in_table);
		CHECK(strcmp(text, golden) == 0);
	}
	table_destroy(fixture.table);
	cfi_close(fixture.cfi);
	free(text);
	free(golden);
}

/* Of a file without sections, or of a machine without a descriptor, there is nothing to read. */
static void test_nothing(void)
{
	struct cfi_sections none = {0};
	struct cfi *cfi;

	CHECK(cfi_open_sections(arch_native(), &none, &cfi) == -ENOENT);
	CHECK(cfi_open_sections(NULL, &none, &cfi) == -ENOTSUP);
	CHECK(arch_find(8, 2, 1) == NULL); /* 64-bit mips */
}

int main(int argc, char **argv)
{
	char pattern[256];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/*/*.sections",
		 argc > 1 ? argv[1] : "tests/fixtures");
	CHECK(glob(pattern, 0, NULL, &found) == 0 && found.gl_pathc >= 11);
	for (size_t i = 0; i < found.gl_pathc; i++)
		test_fixture(found.gl_pathv[i]);
	globfree(&found);
	test_nothing();
	return test_end();
}
