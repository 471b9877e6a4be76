/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dump_rows FILE: every CFI row of a file, in the spelling of `readelf --debug-dump=frames-interp`
 * as readelf_rows.awk arranges it: "FDE start..end", then per row its address, the CFA and each
 * register that has a rule.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "arch/arch.h"
#include "cfi/cfi.h"
#include "elf/elf_file.h"

struct printer {
	const struct arch *arch;
	bool in_fde;
	uint64_t start;
	char *rows;
	size_t rows_size;
	FILE *stream;
};

static void print_reg(const struct printer *p, uint32_t reg)
{
	const char *name = reg < p->arch->n_reg_names ? p->arch->reg_names[reg] : NULL;

	if (name)
		fputs(name, p->stream);
	else
		fprintf(p->stream, "r%" PRIu32, reg);
}

static void print_rule(const struct printer *p, const struct cfi_rule *rule)
{
	switch (rule->kind) {
	case CFI_SAME:
		fputs("s", p->stream);
		break;
	case CFI_OFFSET:
		fprintf(p->stream, "c%+" PRId64, rule->off);
		break;
	case CFI_VAL_OFFSET:
		fprintf(p->stream, "v%+" PRId64, rule->off);
		break;
	case CFI_REGISTER:
		fprintf(p->stream, "r%" PRIu32, rule->reg);
		break;
	case CFI_EXPRESSION:
		fputs("exp", p->stream);
		break;
	case CFI_VAL_EXPRESSION:
		fputs("vexp", p->stream);
		break;
	}
}

static void print_row(const struct printer *p, const struct cfi_row *row)
{
	fprintf(p->stream, "%016" PRIx64 " ", row->start);
	if (row->cfa.kind == CFI_EXPRESSION) {
		fputs("exp", p->stream);
	} else {
		print_reg(p, row->cfa.reg);
		fprintf(p->stream, "%+" PRId64, row->cfa.off);
	}
	for (unsigned int reg = 0; reg < row->n_regs; reg++) {
		/* readelf shows an unspecified rule as undefined. */
		if (row->regs[reg].kind == CFI_UNSPECIFIED || row->regs[reg].kind == CFI_UNDEFINED)
			continue;
		fputc(' ', p->stream);
		if (reg == row->ra_column)
			fputs("ra", p->stream);
		else
			print_reg(p, reg);
		fputc('=', p->stream);
		print_rule(p, &row->regs[reg]);
	}
	fputc('\n', p->stream);
}

/* The end of a FDE is known at its last row only: rows wait in memory. */
static int on_row(const struct cfi_row *row, bool last, void *arg)
{
	struct printer *p = arg;

	if (!p->in_fde) {
		p->start = row->start;
		rewind(p->stream);
	}
	p->in_fde = !last;
	print_row(p, row);
	if (!last)
		return 0;
	fflush(p->stream);
	printf("FDE %016" PRIx64 "..%016" PRIx64 "\n", p->start, row->end);
	fwrite(p->rows, 1, (size_t)ftell(p->stream), stdout);
	return 0;
}

int main(int argc, char **argv)
{
	struct cfi_stats stats;
	struct printer printer = {0};
	struct elf_file *file;
	struct cfi *cfi;
	int fd, err;

	if (argc != 2) {
		fprintf(stderr, "usage: dump_rows FILE\n");
		return 2;
	}
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	err = fd < 0 ? -errno : elf_file_open(fd, &file);
	if (!err)
		err = cfi_open(file, NULL, &cfi);
	if (err) {
		fprintf(stderr, "%s: %s\n", argv[1], strerror(-err));
		return 1;
	}
	close(fd);
	printer.arch = cfi_arch(cfi);
	printer.stream = open_memstream(&printer.rows, &printer.rows_size);
	if (!printer.stream)
		return 1;
	cfi_for_each_row(cfi, on_row, &printer, &stats);
	if (stats.skipped_fdes)
		printf("skipped %zu\n", stats.skipped_fdes);
	cfi_close(cfi);
	elf_file_close(file);
	return 0;
}
