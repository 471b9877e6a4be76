/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sections of CFI: architecture, sizes of .eh_frame_hdr and .debug_frame (2 bytes each), both of them, then .eh_frame.
 * Holds: rows are in order; what is found by address covers it, and, where there is no search table that may lie, is what the
 * table says; the table passes its own check; failure leaves results alone.
 */
#include "cfi/cfi.h"
#include "cfi/expression.h"
#include "table/table.h"
#include "fuzz.h"

#define EH_VADDR 0x8000
#define HDR_VADDR 0xc000
#define MAX_VADDRS 64
#define UNTOUCHED 12345

struct rows {
	uint64_t vaddrs[MAX_VADDRS];
	size_t n;
	size_t n_rows, n_void; /* all, and those of the FDE that has not come to its end */
	uint64_t end;	       /* of the row before, in the same FDE */
};

static int get_reg(void *arg, uint64_t reg, uint64_t *ret)
{
	(void)arg;
	*ret = mix(reg);
	return 0;
}

static int read_memory(void *arg, uint64_t addr, unsigned int size, uint64_t *ret)
{
	(void)arg;
	*ret = mix(addr) >> (64 - 8 * size);
	return 0;
}

static void evaluate(const struct cfi_rule *rule)
{
	static const struct expression_context context = {
		.address_size = 8, .little_endian = true, .get_reg = get_reg, .read = read_memory};
	uint64_t result;

	if (rule->kind == CFI_EXPRESSION || rule->kind == CFI_VAL_EXPRESSION)
		(void)expression_evaluate(rule->expr, rule->expr_size, &context, true, 0x1000,
					  &result);
}

static int on_row(const struct cfi_row *row, void *arg)
{
	struct rows *rows = arg;

	HOLDS(row->start < row->end && (!rows->end || rows->end == row->start));
	HOLDS(row->n_regs <= CFI_MAX_REGS);
	rows->end = row->end;
	rows->n_void++;
	if (rows->n_rows++ < MAX_VADDRS) {
		evaluate(&row->cfa);
		for (unsigned int reg = 0; reg < row->n_regs; reg++)
			evaluate(&row->regs[reg]);
	}
	if (rows->n < MAX_VADDRS)
		rows->vaddrs[rows->n++] = row->start;
	return 0;
}

static int on_fde(bool is_good, void *arg)
{
	struct rows *rows = arg;

	HOLDS(rows->n_void || !is_good);
	if (!is_good)
		rows->n_rows -= rows->n_void;
	rows->end = rows->n_void = 0;
	return 0;
}

/* `same`: lookups see what the table compiler saw. */
static void look_up(const struct cfi *cfi, const struct table *table, uint64_t vaddr, bool same)
{
	struct cfi_row row = {.n_regs = UNTOUCHED};
	struct dwunw_rule expected;
	const struct dwunw_rule *rule = table ? table_find_rule(table, vaddr) : NULL;

	if (cfi_find_row(cfi, vaddr, &row)) {
		HOLDS(row.n_regs == UNTOUCHED);
		return;
	}
	HOLDS(vaddr >= row.start && vaddr < row.end);
	rule_from_row(cfi_arch(cfi), &row, &expected);
	if (rule && same)
		HOLDS(memcmp(&expected, rule, sizeof(expected)) == 0);
}

static void use(const struct cfi *cfi, bool same)
{
	struct rows rows = {.vaddrs = {0, 1, ~0ULL, 1ULL << 32, 1ULL << 63, EH_VADDR}, .n = 6};
	struct table *table = NULL;
	struct cfi_stats stats;

	HOLDS(cfi_for_each_row(cfi, on_row, on_fde, &rows, &stats) == 0);
	HOLDS(rows.end == 0 && stats.rows == rows.n_rows);
	if (table_build(cfi, &table))
		table = NULL;
	else
		HOLDS(table_check(table->header, table->header->size) == 0);
	for (size_t i = 0; i < rows.n; i++) {
		for (uint64_t step = 0; step < 3; step++)
			look_up(cfi, table, rows.vaddrs[i] + step - 1, same);
	}
	table_destroy(table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	const struct arch *arch = input_arch(&input);
	size_t hdr_size = input_uint(&input, 2), debug_size = input_uint(&input, 2), n;
	struct cfi_sections sections = {.text_base = 0x1000, .data_base = 0x2000};
	uint8_t *hdr, *debug, *eh;
	struct cfi *cfi;

	hdr = input_bytes(&input, hdr_size, &n);
	sections.eh_frame_hdr = (struct elf_section){n ? hdr : NULL, n, HDR_VADDR, SHT_PROGBITS};
	debug = input_bytes(&input, debug_size, &n);
	sections.debug_frame = (struct elf_section){n ? debug : NULL, n, 0, SHT_PROGBITS};
	eh = input_bytes(&input, input.left, &n);
	sections.eh_frame = (struct elf_section){n ? eh : NULL, n, EH_VADDR, SHT_PROGBITS};
	if (cfi_open_sections(arch, &sections, &cfi) == 0) {
		use(cfi, !sections.eh_frame_hdr.data);
		cfi_close(cfi);
	}
	free(hdr);
	free(debug);
	free(eh);
	return 0;
}
