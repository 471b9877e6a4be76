/* SPDX-License-Identifier: BSD-2-Clause */
/* dwunw cfi FILE: every row, one a line, rules spelled as `readelf --debug-dump=frames-interp` spells them. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "cfi/cfi.h"
#include "commands.h"
#include "file.h"

static const char doc[] = "Prints every row of call frame information of an ELF file, one a line:\n"
			  "  START END cfa=REG+OFF|exp  REG=RULE ...\v"
			  "START and END are addresses as in the file, 16 hexadecimal digits, END "
			  "exclusive. FDEs come in the order of the "
			  "file. RULE: c-16: saved at CFA-16; v+8: is CFA+8; s: the same; u: "
			  "undefined; exp: saved where a DWARF expression "
			  "says; vexp: is the value of one; else the register that holds it. The "
			  "return address is ra.";

/* `ra`: the column of the return address, or a number that no register has */
static void print_reg(FILE *out, const struct arch *arch, uint32_t reg, uint32_t ra)
{
	const char *name = reg < arch->n_reg_names ? arch->reg_names[reg] : NULL;

	if (reg == ra)
		fputs_unlocked("ra", out);
	else if (name)
		fputs_unlocked(name, out);
	else
		fprintf(out, "r%" PRIu32, reg);
}

static void print_rule(FILE *out, const struct arch *arch, const struct cfi_rule *rule)
{
	switch (rule->kind) {
	case CFI_UNDEFINED:
		fputs_unlocked("u", out);
		break;
	case CFI_SAME:
		fputs_unlocked("s", out);
		break;
	case CFI_OFFSET:
		fprintf(out, "c%+" PRId64, rule->off);
		break;
	case CFI_VAL_OFFSET:
		fprintf(out, "v%+" PRId64, rule->off);
		break;
	case CFI_REGISTER:
		print_reg(out, arch, rule->reg, UINT32_MAX);
		break;
	case CFI_EXPRESSION:
		fputs_unlocked("exp", out);
		break;
	case CFI_VAL_EXPRESSION:
		fputs_unlocked("vexp", out);
		break;
	}
}

static void print_row(FILE *out, const struct arch *arch, const struct cfi_row *row)
{
	const char *separator = "  ";

	fprintf(out, "%016" PRIx64 " %016" PRIx64 " cfa=", row->start, row->end);
	if (row->cfa.kind == CFI_REGISTER) {
		print_reg(out, arch, row->cfa.reg, UINT32_MAX);
		fprintf(out, "%+" PRId64, row->cfa.off);
	} else {
		fputs_unlocked(row->cfa.kind == CFI_EXPRESSION ? "exp" : "u", out);
	}
	for (unsigned int reg = 0; reg < row->n_regs; reg++) {
		if (row->regs[reg].kind == CFI_UNSPECIFIED)
			continue;
		fputs_unlocked(separator, out);
		separator = " ";
		print_reg(out, arch, reg, row->ra_column);
		putc_unlocked('=', out);
		print_rule(out, arch, &row->regs[reg]);
	}
	putc_unlocked('\n', out);
}

/* Rows of a FDE wait in memory until it is known to make sense to its end. */
struct printer {
	const struct arch *arch;
	FILE *fde;
	char *text;
	size_t size;
};

static int on_row(const struct cfi_row *row, void *arg)
{
	const struct printer *printer = arg;

	print_row(printer->fde, printer->arch, row);
	return 0;
}

static int on_fde(bool is_good, void *arg)
{
	const struct printer *printer = arg;

	if (fflush(printer->fde))
		return -ENOMEM;
	if (is_good)
		fwrite_unlocked(printer->text, 1, printer->size, stdout);
	rewind(printer->fde);
	return ferror(stdout) ? -EIO : 0;
}

static int print_rows(const struct cfi *cfi, struct cfi_stats *stats)
{
	struct printer printer = {.arch = cfi_arch(cfi)};
	int err;

	printer.fde = open_memstream(&printer.text, &printer.size);
	if (!printer.fde)
		return -ENOMEM;
	err = cfi_for_each_row(cfi, on_row, on_fde, &printer, stats);
	fclose(printer.fde);
	free(printer.text);
	return err;
}

int command_cfi(int argc, char **argv)
{
	struct cfi_stats stats;
	struct cfi_file file;
	int status, err;

	if (cfi_file_open(argc, argv, doc, &file))
		return STATUS_FAILED;
	err = print_rows(file.cfi, &stats);
	status = output_status();
	if (err && !status)
		fprintf(stderr, "%s: %s: %s\n", argv[0], file.path, strerror(-err));
	else if (stats.skipped_fdes)
		fprintf(stderr, "%s: %s: FDEs that make no sense: %zu\n", argv[0], file.path,
			stats.skipped_fdes);
	cfi_file_close(&file);
	return err || stats.skipped_fdes ? STATUS_FAILED : status;
}
