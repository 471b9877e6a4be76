/* SPDX-License-Identifier: BSD-2-Clause */
/* dwunw table FILE: what the unwind table made of a file consists of. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "arch/arch.h"
#include "cfi/cfi.h"
#include "commands.h"
#include "file.h"
#include "table/table.h"
#include <dwunw/step_types.h>

static const char doc[] = "Makes the unwind table of an ELF file and prints what it consists of.";

/* What a row needs, by its CFA first; the order is that of the output. */
enum row_kind {
	ROW_SP,
	ROW_FP,
	ROW_REG,
	ROW_DEREF,
	ROW_PLT,
	ROW_EXPRESSION,
	ROW_ROOT,
	ROW_GAP,
	N_ROW_KINDS,
};

static const char *const kind_names[N_ROW_KINDS] = {
	[ROW_SP] = "stack pointer + offset",   [ROW_FP] = "frame pointer + offset",
	[ROW_REG] = "other register + offset", [ROW_DEREF] = "memory at register + offset",
	[ROW_PLT] = "lazy PLT stub",	       [ROW_EXPRESSION] = "DWARF expression",
	[ROW_ROOT] = "root frame, no caller",  [ROW_GAP] = "gap, no CFI",
};

static enum row_kind kind_of(const struct dwunw_frame_rule *rule,
			     const struct dwunw_step_arch *step)
{
	if (rule->cfa_kind == DWUNW_NO_RULE)
		return ROW_GAP;
	if (rule->ra_kind == DWUNW_RULE_UNDEFINED)
		return ROW_ROOT;
	switch (rule->cfa_kind) {
	case DWUNW_RULE_REG_PLUS:
		if (rule->cfa_reg == step->sp)
			return ROW_SP;
		return rule->cfa_reg == step->fp ? ROW_FP : ROW_REG;
	case DWUNW_RULE_REG_AT:
		return ROW_DEREF;
	case DWUNW_RULE_PLT:
		return ROW_PLT;
	default:
		return ROW_EXPRESSION;
	}
}

struct kinds {
	size_t rows[N_ROW_KINDS];
	size_t signal, other_regs;
};

static struct kinds count_kinds(const struct dwunw_table_header *header,
				const struct dwunw_step_arch *step)
{
	const struct dwunw_rule *rules = (const void *)((const char *)header + header->rules);
	const uint32_t *rows = (const void *)((const char *)header + header->rows);
	struct kinds kinds = {0};

	for (size_t i = 0; i < header->n_rows; i++) {
		const struct dwunw_frame_rule *rule = &rules[rows[i] & 0xffff].frame;

		kinds.rows[kind_of(rule, step)]++;
		kinds.signal += (rule->flags & DWUNW_RULE_SIGNAL) != 0;
		kinds.other_regs += (rule->flags & DWUNW_RULE_NEEDS_REGS) != 0;
	}
	return kinds;
}

static void print_table(const struct table *table, const struct arch *arch)
{
	const struct table_stats *stats = &table->stats;
	struct kinds kinds = count_kinds(table->header, arch->step);

	printf("architecture        %s\n", arch->name);
	printf("FDEs                %zu\n", stats->fdes);
	printf("FDEs skipped        %zu\n", stats->skipped_fdes);
	printf("rows in the file    %zu\n", stats->cfi_rows);
	printf("rows                %zu\n", stats->rows);
	printf("bytes               %zu (%.2f a row)\n", stats->bytes,
	       stats->rows ? (double)stats->bytes / (double)stats->rows : 0.0);
	printf("pages               %" PRIu32 "\n", table->header->n_pages);
	printf("dictionary entries  %zu\n", stats->rules);
	printf("rows past its limit %zu\n", stats->overflow_rows);
	printf("rows by kind of CFA:\n");
	for (int i = 0; i < N_ROW_KINDS; i++)
		printf("  %-28s %zu\n", kind_names[i], kinds.rows[i]);
	printf("rows of signal frames          %zu\n", kinds.signal);
	printf("rows that need all registers   %zu\n", kinds.other_regs);
}

int command_table(int argc, char **argv)
{
	struct cfi_file file;
	struct table *table;
	int err;

	if (cfi_file_open(argc, argv, doc, &file))
		return STATUS_FAILED;
	err = table_build(file.cfi, &table);
	if (err) {
		fprintf(stderr, "%s: %s: %s\n", argv[0], file.path, strerror(-err));
	} else {
		print_table(table, cfi_arch(file.cfi));
		table_destroy(table);
	}
	cfi_file_close(&file);
	return err ? STATUS_FAILED : output_status();
}
