/* SPDX-License-Identifier: BSD-2-Clause */
/* dwunw cfi FILE: every row, one a line, rules spelled as `readelf --debug-dump=frames-interp` spells them. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
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
static void print_reg(const struct arch *arch, uint32_t reg, uint32_t ra)
{
	const char *name = reg < arch->n_reg_names ? arch->reg_names[reg] : NULL;

	if (reg == ra)
		fputs_unlocked("ra", stdout);
	else if (name)
		fputs_unlocked(name, stdout);
	else
		printf("r%" PRIu32, reg);
}

static void print_rule(const struct arch *arch, const struct cfi_rule *rule)
{
	switch (rule->kind) {
	case CFI_UNDEFINED:
		fputs_unlocked("u", stdout);
		break;
	case CFI_SAME:
		fputs_unlocked("s", stdout);
		break;
	case CFI_OFFSET:
		printf("c%+" PRId64, rule->off);
		break;
	case CFI_VAL_OFFSET:
		printf("v%+" PRId64, rule->off);
		break;
	case CFI_REGISTER:
		print_reg(arch, rule->reg, UINT32_MAX);
		break;
	case CFI_EXPRESSION:
		fputs_unlocked("exp", stdout);
		break;
	case CFI_VAL_EXPRESSION:
		fputs_unlocked("vexp", stdout);
		break;
	}
}

static int print_row(const struct cfi_row *row, bool last, void *arg)
{
	const struct arch *arch = arg;
	const char *separator = "  ";

	(void)last;
	printf("%016" PRIx64 " %016" PRIx64 " cfa=", row->start, row->end);
	if (row->cfa.kind == CFI_REGISTER) {
		print_reg(arch, row->cfa.reg, UINT32_MAX);
		printf("%+" PRId64, row->cfa.off);
	} else {
		fputs_unlocked(row->cfa.kind == CFI_EXPRESSION ? "exp" : "u", stdout);
	}
	for (unsigned int reg = 0; reg < row->n_regs; reg++) {
		if (row->regs[reg].kind == CFI_UNSPECIFIED)
			continue;
		fputs_unlocked(separator, stdout);
		separator = " ";
		print_reg(arch, reg, row->ra_column);
		putchar_unlocked('=');
		print_rule(arch, &row->regs[reg]);
	}
	putchar_unlocked('\n');
	return ferror(stdout) ? -EIO : 0;
}

int command_cfi(int argc, char **argv)
{
	struct cfi_stats stats;
	struct cfi_file file;
	int status, err;

	if (cfi_file_open(argc, argv, doc, &file))
		return STATUS_FAILED;
	err = cfi_for_each_row(file.cfi, print_row, (void *)cfi_arch(file.cfi), &stats);
	status = output_status();
	if (err && !status)
		fprintf(stderr, "%s: %s: %s\n", argv[0], file.path, strerror(-err));
	else if (stats.skipped_fdes)
		fprintf(stderr, "%s: %s: FDEs that make no sense: %zu\n", argv[0], file.path,
			stats.skipped_fdes);
	cfi_file_close(&file);
	return err || stats.skipped_fdes ? STATUS_FAILED : status;
}
