/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves what the CFI parser makes of sections put together byte by byte from DWARF 5 section 6.4
 * and the LSB: pointer encodings, augmentations, versions, every DW_CFA instruction, and what it
 * must skip and count. (tests/parity compares whole files with readelf.)
 */
#include "cfi_image.h"

static bool is_rule(const struct cfi_rule *rule, uint8_t kind, uint32_t reg, int64_t off)
{
	return rule->kind == kind && rule->reg == reg && rule->off == off;
}

static void test_simple(void)
{
	struct cfi_row row;

	OPEN_PROGRAM(DW_CFA_advance_loc | 1, DW_CFA_def_cfa_offset, 16, DW_CFA_offset | RBP, 2,
		     DW_CFA_advance_loc | 3, DW_CFA_def_cfa_register, RBP, DW_CFA_advance_loc1,
		     0x80, DW_CFA_def_cfa, RSP, 8, DW_CFA_restore | RBP);
	CHECK(stats.cies == 1 && stats.fdes == 1 && stats.rows == 4 && stats.skipped_fdes == 0);
	CHECK(n_rows == 4 && n_good == 1);
	CHECK(rows[0].start == PC && rows[0].end == PC + 1);
	CHECK(is_rule(&rows[0].cfa, CFI_REGISTER, RSP, 8));
	CHECK(is_rule(&rows[0].regs[RIP], CFI_OFFSET, 0, -8) && rows[0].ra_column == RIP);
	CHECK(is_rule(&rows[1].cfa, CFI_REGISTER, RSP, 16));
	CHECK(is_rule(&rows[1].regs[RBP], CFI_OFFSET, 0, -16));
	CHECK(is_rule(&rows[2].cfa, CFI_REGISTER, RBP, 16));
	CHECK(rows[3].start == PC + 0x84 && rows[3].end == PC + FUNCTION_SIZE);
	CHECK(rows[3].regs[RBP].kind == CFI_UNSPECIFIED && !rows[3].signal_frame);
	CHECK(rows[0].fingerprint == rows[3].fingerprint &&
	      rows[0].fingerprint != rows[1].fingerprint);
	CHECK(covers(PC, PC, PC + 1) && covers(PC + 0x83, PC + 4, PC + 0x84) &&
	      covers(PC + FUNCTION_SIZE - 1, PC + 0x84, PC + FUNCTION_SIZE));
	CHECK(cfi_find_row(cfi, PC - 1, &row) == -ENOENT);
	CHECK(cfi_find_row(cfi, PC + FUNCTION_SIZE, &row) == -ENOENT);
	close_cfi();
}

static void test_register_rules(void)
{
	const struct cfi_rule *regs = rows[0].regs;

	OPEN_PROGRAM(DW_CFA_offset_extended, 1, 3, DW_CFA_offset_extended_sf, 2, 0x7f,
		     DW_CFA_val_offset, 3, 1, DW_CFA_val_offset_sf, 4, 0x7e, DW_CFA_register, 5, 12,
		     DW_CFA_same_value, 6, DW_CFA_undefined, 8, DW_CFA_expression, 9, 2,
		     DW_OP_breg7, 8, DW_CFA_val_expression, 10, 1, DW_OP_lit0,
		     DW_CFA_GNU_negative_offset_extended, 11, 2, DW_CFA_GNU_args_size, 0x90, 1,
		     DW_CFA_AARCH64_negate_ra_state, DW_CFA_offset_extended, 0xc8, 0x01, 1);
	CHECK(n_rows == 1);
	CHECK(is_rule(&regs[1], CFI_OFFSET, 0, -24) && is_rule(&regs[2], CFI_OFFSET, 0, 8));
	CHECK(is_rule(&regs[3], CFI_VAL_OFFSET, 0, -8) && is_rule(&regs[4], CFI_VAL_OFFSET, 0, 16));
	CHECK(is_rule(&regs[5], CFI_REGISTER, 12, 0) && regs[6].kind == CFI_SAME);
	CHECK(regs[8].kind == CFI_UNDEFINED);
	CHECK(regs[9].kind == CFI_EXPRESSION && regs[9].expr_size == 2 &&
	      regs[9].expr[0] == DW_OP_breg7);
	CHECK(regs[10].kind == CFI_VAL_EXPRESSION && regs[10].expr_size == 1);
	CHECK(is_rule(&regs[11], CFI_OFFSET, 0, 16));
	CHECK(rows[0].n_regs == RIP + 1); /* register 200 has no place, and is no error */
	close_cfi();
}

static void test_cfa_rules(void)
{
	OPEN_PROGRAM(DW_CFA_def_cfa_sf, RBP, 0x7e, DW_CFA_advance_loc | 1, DW_CFA_def_cfa_offset_sf,
		     0x7d, DW_CFA_advance_loc2, 1, 0, DW_CFA_def_cfa_expression, 2, DW_OP_breg7, 8,
		     DW_CFA_advance_loc4, 1, 0, 0, 0, DW_CFA_def_cfa, R12, 0x80, 0x02,
		     DW_CFA_MIPS_advance_loc8, 1, 0, 0, 0, 0, 0, 0, 0, DW_CFA_def_cfa_register,
		     RSP);
	CHECK(n_rows == 5);
	CHECK(is_rule(&rows[0].cfa, CFI_REGISTER, RBP, 16));
	CHECK(is_rule(&rows[1].cfa, CFI_REGISTER, RBP, 24));
	CHECK(rows[2].cfa.kind == CFI_EXPRESSION && rows[2].cfa.expr_size == 2);
	CHECK(is_rule(&rows[3].cfa, CFI_REGISTER, R12, 256));
	CHECK(is_rule(&rows[4].cfa, CFI_REGISTER, RSP, 256) && rows[4].start == PC + 4);
	close_cfi();
}

/* As libgcrypt's assembly has it: the register and offset before an expression outlive it. */
static void test_cfa_after_expression(void)
{
	OPEN_PROGRAM(DW_CFA_def_cfa, RBP, 56, DW_CFA_advance_loc | 1, DW_CFA_def_cfa_expression, 1,
		     DW_OP_lit0, DW_CFA_advance_loc | 1, DW_CFA_def_cfa_register, RSP,
		     DW_CFA_advance_loc | 1, DW_CFA_def_cfa_expression, 1, DW_OP_lit0,
		     DW_CFA_def_cfa_offset, 64, DW_CFA_advance_loc | 1, DW_CFA_def_cfa_register,
		     RBP);
	CHECK(n_rows == 5 && rows[1].cfa.kind == CFI_EXPRESSION);
	CHECK(is_rule(&rows[2].cfa, CFI_REGISTER, RSP, 56) && !rows[2].cfa.expr);
	CHECK(rows[3].cfa.kind == CFI_EXPRESSION && rows[3].cfa.expr_size == 1);
	CHECK(is_rule(&rows[4].cfa, CFI_REGISTER, RBP, 64));
	close_cfi();
}

/* 100 levels, each of which changes the CFA and a register; undone one by one. */
static void test_remember(void)
{
	struct bytes program = {0};
	bool right = true;
	size_t cie;

	for (int i = 1; i <= 100; i++) {
		put(&program, (uint8_t[]){DW_CFA_remember_state, DW_CFA_advance_loc | 1}, 2);
		put(&program, (uint8_t[]){DW_CFA_def_cfa_offset, i, DW_CFA_offset | i % 16, i}, 4);
	}
	for (int i = 0; i < 100; i++)
		put(&program, (uint8_t[]){DW_CFA_advance_loc | 1, DW_CFA_restore_state}, 2);
	cie = put_simple_cie(&eh);
	put_fde(&eh, cie, PC, FUNCTION_SIZE, program.data, program.size);
	CHECK(open_cfi() == 0 && n_rows == 201);
	for (int i = 0; i <= 100; i++) {
		const struct cfi_row *before = &rows[i], *after = &rows[200 - i];

		right = right && before->fingerprint == after->fingerprint &&
			before->cfa.off == (i ? i : 8) && after->cfa.off == before->cfa.off;
		for (int reg = 0; reg < 17; reg++)
			right = right && before->regs[reg].off == after->regs[reg].off &&
				before->regs[reg].kind == after->regs[reg].kind;
	}
	CHECK(right);
	free(program.data);
	close_cfi();
}

/* Each of these is skipped and counted, gives no rows, and leaves its neighbour alone. */
static void check_skipped(const void *program, size_t size)
{
	size_t cie = put_simple_cie(&eh);
	struct cfi_row row;

	put_fde(&eh, cie, PC, FUNCTION_SIZE, program, size);
	put_fde(&eh, cie, PC + FUNCTION_SIZE, FUNCTION_SIZE, NULL, 0);
	CHECK(open_cfi() == 0);
	CHECK(stats.fdes == 1 && stats.skipped_fdes == 1 && n_rows == 1 && n_good == 1);
	CHECK(cfi_find_row(cfi, PC, &row) != 0);
	CHECK(covers(PC + FUNCTION_SIZE, PC + FUNCTION_SIZE, PC + 2 * FUNCTION_SIZE));
	close_cfi();
}

#define SKIPPED(...) check_skipped((uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__}))

static void test_malformed_programs(void)
{
	/* after a row that was good: the FDE is skipped whole */
	SKIPPED(DW_CFA_advance_loc | 1, DW_CFA_def_cfa_offset, 16, DW_CFA_advance_loc | 1, 0x1c);
	SKIPPED(DW_CFA_restore_state);
	SKIPPED(DW_CFA_remember_state, DW_CFA_restore_state, DW_CFA_restore_state);
	SKIPPED(DW_CFA_def_cfa_expression, 100, DW_OP_lit0);
	SKIPPED(DW_CFA_expression, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1);
	SKIPPED(DW_CFA_def_cfa_offset, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1);
	SKIPPED(DW_CFA_offset | 1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40);
	SKIPPED(DW_CFA_def_cfa, 0xff, 0xff, 0xff, 0xff, 0x7f, 8);
	SKIPPED(DW_CFA_nop, DW_CFA_advance_loc4, 0); /* fills the FDE to a multiple of 4 */
	SKIPPED(DW_CFA_advance_loc | 8, DW_CFA_set_loc, 0, 0xb8, 0xff, 0xff); /* backwards */
	SKIPPED(0x3f);
}

static void test_deep_nesting(void)
{
	uint8_t program[4096];

	memset(program, DW_CFA_remember_state, sizeof(program));
	check_skipped(program, sizeof(program));
}

static void test_set_loc(void)
{
	struct bytes program = {0};
	size_t cie = put_simple_cie(&eh), at;

	/* the operand is pc-relative: it lies behind the FDE's header of 17 bytes and its opcode */
	at = EH_VADDR + eh.size + 4 + 4 + 4 + 4 + 1 + 1;
	put_u8(&program, DW_CFA_set_loc);
	put_uint(&program, PC + 0x20 - at, 4);
	put(&program, (uint8_t[]){DW_CFA_def_cfa_offset, 32}, 2);
	put_fde(&eh, cie, PC, FUNCTION_SIZE, program.data, program.size);
	CHECK(open_cfi() == 0 && n_rows == 2 && rows[1].start == PC + 0x20);
	free(program.data);
	close_cfi();
}

/* The same relative to the function. */
static void test_set_loc_in_function(void)
{
	static const uint8_t program[] = {DW_CFA_set_loc, 0x20, 0, 0, 0, DW_CFA_def_cfa_offset, 32};
	size_t cie = put_cie(&eh, "zR", (uint8_t[]){1, DW_EH_PE_funcrel | DW_EH_PE_udata4}, 2);
	size_t body = begin_entry(&eh, false);

	put_uint(&eh, body - cie, 4);
	put_uint(&eh, PC, 4);
	put_uint(&eh, FUNCTION_SIZE, 4);
	put_u8(&eh, 0);
	put(&eh, program, sizeof(program));
	end_entry(&eh, body, false);
	CHECK(open_cfi() == 0 && n_rows == 2 && rows[1].start == PC + 0x20);
	close_cfi();
}

/* Rows end where the FDE ends, whatever its program says. */
static void test_past_the_end(void)
{
	OPEN_PROGRAM(DW_CFA_advance_loc1, 0xf0, DW_CFA_def_cfa_offset, 16, DW_CFA_advance_loc | 63,
		     DW_CFA_def_cfa_offset, 24, DW_CFA_advance_loc | 63, DW_CFA_advance_loc | 0);
	CHECK(n_rows == 2 && rows[1].end == PC + FUNCTION_SIZE && n_good == 1);
	close_cfi();
	OPEN_PROGRAM(DW_CFA_advance_loc | 0, DW_CFA_def_cfa_offset, 16, DW_CFA_advance_loc | 0);
	CHECK(n_rows == 1 && rows[0].cfa.off == 16);
	close_cfi();
}

/*
 * Opens one FDE for PC whose pointers have `encoding`; `relative_to` is what the encoding is
 * relative to, 0: itself.
 */
static void open_encoding(uint8_t encoding, size_t size, uint64_t base)
{
	size_t cie = put_cie(&eh, "zR", (uint8_t[]){1, encoding}, 2);
	size_t body = begin_entry(&eh, false);
	uint8_t format = encoding & 0x0f;

	put_uint(&eh, body - cie, 4);
	if ((encoding & 0x70) == DW_EH_PE_pcrel)
		base = EH_VADDR + eh.size;
	if ((encoding & 0x70) == DW_EH_PE_aligned)
		put_zeros(&eh, -eh.size & 7);
	if (format == DW_EH_PE_uleb128) {
		put_uleb(&eh, PC - base);
		put_uleb(&eh, FUNCTION_SIZE);
	} else if (format == DW_EH_PE_sleb128) {
		/* both values fit two groups of seven bits with the sign bit clear */
		put_uint(&eh, 0x80 | ((PC - base) & 0x7f), 1);
		put_uint(&eh, 0x80 | ((PC - base) >> 7 & 0x7f), 1);
		put_uint(&eh, (PC - base) >> 14 & 0x7f, 1);
		put_uint(&eh, 0x80, 1);
		put_uint(&eh, 2, 1);
	} else {
		put_uint(&eh, PC - base, size);
		put_uint(&eh, FUNCTION_SIZE, size);
	}
	put_u8(&eh, 0);
	end_entry(&eh, body, false);
	CHECK(open_cfi() == 0);
}

static void test_encodings(void)
{
	static const struct {
		uint8_t encoding;
		size_t size;
		uint64_t base;
	} cases[] = {
		{DW_EH_PE_absptr, 8, 0},
		{DW_EH_PE_signed, 8, 0},
		{DW_EH_PE_uleb128, 0, 0},
		{DW_EH_PE_sleb128, 0, 0},
		{DW_EH_PE_udata2, 2, 0},
		{DW_EH_PE_udata4, 4, 0},
		{DW_EH_PE_udata8, 8, 0},
		{DW_EH_PE_sdata2, 2, 0},
		{DW_EH_PE_sdata4, 4, 0},
		{DW_EH_PE_sdata8, 8, 0},
		{DW_EH_PE_pcrel | DW_EH_PE_absptr, 8, 0},
		{DW_EH_PE_pcrel | DW_EH_PE_sdata2, 2, 0},
		{DW_EH_PE_pcrel | DW_EH_PE_sdata4, 4, 0},
		{DW_EH_PE_pcrel | DW_EH_PE_sdata8, 8, 0},
		{DW_EH_PE_pcrel | DW_EH_PE_sleb128, 0, 0},
		{DW_EH_PE_datarel | DW_EH_PE_sdata4, 4, GOT_VADDR},
		{DW_EH_PE_datarel | DW_EH_PE_sdata8, 8, GOT_VADDR},
		{DW_EH_PE_textrel | DW_EH_PE_sdata4, 4, TEXT_VADDR},
		{DW_EH_PE_textrel | DW_EH_PE_udata8, 8, TEXT_VADDR},
		{DW_EH_PE_funcrel | DW_EH_PE_udata4, 4, 0}, /* of no function yet */
		{DW_EH_PE_aligned, 8, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		open_encoding(cases[i].encoding, cases[i].size, cases[i].base);
		CHECK(stats.fdes == 1 && covers(PC, PC, PC + FUNCTION_SIZE));
		if (stats.fdes != 1)
			fprintf(stderr, "encoding %#x\n", cases[i].encoding);
		close_cfi();
	}
	/* indirect: the value is in a running process; omit and unknown formats: no value at all */
	for (unsigned int i = 0; i < 4; i++) {
		open_encoding((uint8_t[]){0x9b, DW_EH_PE_omit, 0x0d, 0x6b}[i], 4, 0);
		CHECK(stats.fdes == 0 && stats.skipped_fdes == 1 && n_rows == 0);
		close_cfi();
	}
}

static void test_augmentations(void)
{
	static const struct {
		const char *letters;
		uint8_t data[16];
		size_t size;
		bool good, signal;
	} cases[] = {
		{"", {0}, 0, true, false},
		{"z", {0}, 1, true, false},
		{"zS", {0}, 1, true, true},
		{"S", {0}, 0, true, true}, /* as GNU as has it in .debug_frame */
		{"SB", {0}, 0, true, true},
		{"SQ", {0}, 0, false, false},
		{"zB", {0}, 1, true, false},
		{"zPLR", {7, 0x9b, 1, 2, 3, 4, 0x1b, DW_EH_PE_absptr}, 8, true, false},
		{"zRPLS", {4, 0, 0xff, 0xff, 0}, 5, true, true},
		{"zQS",
		 {1, 0},
		 2,
		 true,
		 false}, /* 'Q' is unknown: what follows is skipped as a whole */
		{"eh", {1, 2, 3, 4, 5, 6, 7, 8}, 8, true, false},
		{"Q", {0}, 0, false, false},
		{"zR", {100, 0}, 2, false, false},
		{"zR", {0}, 1, false, false}, /* no byte for 'R' */
		{"zP", {2, DW_EH_PE_udata4, 0}, 3, false, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t cie = put_cie(&eh, cases[i].letters, cases[i].data, cases[i].size);
		bool has_size = cases[i].letters[0] == 'z';

		put_absolute_fde(&eh, eh.size + 4 - cie, 4, false, PC, "", has_size);
		CHECK(open_cfi() == 0);
		CHECK(stats.fdes == cases[i].good && stats.skipped_fdes == !cases[i].good);
		CHECK(!cases[i].good || (covers(PC, PC, PC + FUNCTION_SIZE) &&
					 rows[0].signal_frame == cases[i].signal));
		if (stats.fdes != cases[i].good)
			fprintf(stderr, "augmentation \"%s\"\n", cases[i].letters);
		close_cfi();
	}
}

/*
 * .debug_frame: the versions of DWARF 2 to 5, in both lengths; the CIE pointer is an offset in the
 * section.
 */
static void put_debug_frame(uint8_t version, bool is_64)
{
	size_t id_size = is_64 ? 8 : 4, cie = debug_frame.size;
	size_t body = begin_entry(&debug_frame, is_64);

	put_uint(&debug_frame, ~0ULL, id_size);
	put(&debug_frame, (uint8_t[]){version, 0}, 2);
	if (version == 4)
		put(&debug_frame, (uint8_t[]){8, 0}, 2);
	put(&debug_frame, (uint8_t[]){4, 0x7c, RIP}, 3);
	put(&debug_frame, (uint8_t[]){DW_CFA_def_cfa, RSP, 24}, 3);
	end_entry(&debug_frame, body, is_64);
	put_absolute_fde(&debug_frame, cie, id_size, is_64, PC, "\x41\x0e\x30", 3);
}

static void test_debug_frame(void)
{
	static const uint8_t versions[] = {1, 3, 4};
	struct cfi_row row;
	size_t cie;

	for (size_t i = 0; i < 6; i++) {
		put_debug_frame(versions[i / 2], i % 2);
		CHECK(open_cfi() == 0 && stats.fdes == 1 && n_rows == 2);
		CHECK(covers(PC + 3, PC, PC + 4) && covers(PC + 4, PC + 4, PC + FUNCTION_SIZE));
		CHECK(rows[0].cfa.off == 24 && rows[1].cfa.off == 48);
		close_cfi();
	}
	put_debug_frame(2, false); /* no such version */
	CHECK(open_cfi() == 0 && stats.fdes == 0 && stats.skipped_fdes == 1);
	close_cfi();

	/* both: .eh_frame decides where both speak, and .debug_frame where it is silent */
	put_debug_frame(3, false);
	put_absolute_fde(&debug_frame, 0, 4, false, PC + 0x800, "", 0);
	cie = put_simple_cie(&eh);
	put_fde(&eh, cie, PC, FUNCTION_SIZE, NULL, 0);
	CHECK(open_cfi() == 0 && stats.fdes == 3);
	CHECK(cfi_find_row(cfi, PC, &row) == 0 && row.cfa.off == 8);
	CHECK(cfi_find_row(cfi, PC + 0x800, &row) == 0 && row.cfa.off == 24);
	close_cfi();
}

static void test_64_bit_eh_frame(void)
{
	size_t cie = eh.size, body = begin_entry(&eh, true);

	put_uint(&eh, 0, 4);
	put(&eh, (uint8_t[]){1, 0, 1, 0x78, RIP, DW_CFA_def_cfa, RSP, 8}, 8);
	end_entry(&eh, body, true);
	put_absolute_fde(&eh, eh.size + 12 - cie, 4, true, PC, "", 0);
	CHECK(open_cfi() == 0 && stats.fdes == 1 && covers(PC, PC, PC + FUNCTION_SIZE));
	close_cfi();
}

/* What is no function at all is passed over, and not counted as a loss. */
static void test_nothing_there(void)
{
	size_t cie = put_simple_cie(&eh);
	struct cfi_row row;

	put_fde(&eh, cie, PC, 0, NULL, 0);
	put_fde(&eh, cie, 0, FUNCTION_SIZE, NULL, 0);
	put_uint(&eh, 0, 4);
	put_uint(&eh, 0, 4);
	cie = put_simple_cie(&eh);
	put_fde(&eh, cie, PC, FUNCTION_SIZE, NULL, 0);
	put_uint(&eh, 0, 4);
	CHECK(open_cfi() == 0);
	CHECK(stats.cies == 2 && stats.fdes == 1 && stats.skipped_fdes == 0 && n_rows == 1);
	CHECK(covers(PC, PC, PC + FUNCTION_SIZE));
	CHECK(cfi_find_row(cfi, 0, &row) == -ENOENT && cfi_find_row(cfi, 0x10, &row) == -ENOENT);
	close_cfi();
	CHECK(open_cfi() == -ENOENT && !cfi);
	close_cfi();
}

static void test_broken_entries(void)
{
	size_t cie = put_simple_cie(&eh);

	put_fde(&eh, cie, PC, FUNCTION_SIZE, NULL, 0);
	put_fde(&eh, eh.size - 8, PC + FUNCTION_SIZE, FUNCTION_SIZE, NULL, 0); /* no CIE there */
	put_fde(&eh, eh.size + 0x1000, PC, FUNCTION_SIZE, NULL, 0);
	put_uint(&eh, 2, 4);
	put_uint(&eh, 0, 2);
	put_fde(&eh, cie, PC + FUNCTION_SIZE, FUNCTION_SIZE, NULL, 0);
	put_uint(&eh, 1000, 4); /* past the end */
	put_uint(&eh, 0, 4);
	CHECK(open_cfi() == 0);
	CHECK(stats.fdes == 2 && stats.skipped_fdes == 4);
	CHECK(covers(PC, PC, PC + FUNCTION_SIZE));
	CHECK(covers(PC + FUNCTION_SIZE, PC + FUNCTION_SIZE, PC + 2 * FUNCTION_SIZE));
	close_cfi();
}

/*
 * An augmentation that no NUL ends before the entry does (but the next entry has one), and a FDE that names itself as its CIE and could be
 * one; others believe them.
 */
static void test_hostile_entries(void)
{
	static const uint8_t looks_like_cie[] = {
		1, 'z', 'R', 0, 1, 0x78, RIP, 1, 0x1b, DW_CFA_def_cfa, RSP, 8};
	size_t unterminated = eh.size, self, body = begin_entry(&eh, false);

	put_uint(&eh, 0, 4);
	put_u8(&eh, 1);
	put(&eh, "SSSSSSSSSSS", 11);
	end_entry(&eh, body, false);
	put_uint(&eh, 0, 4);
	put_absolute_fde(&eh, eh.size + 4 - unterminated, 4, false, PC, "", 0);
	self = eh.size;
	body = begin_entry(&eh, false);
	put_uint(&eh, body - self, 4);
	put(&eh, looks_like_cie, sizeof(looks_like_cie));
	end_entry(&eh, body, false);
	put_fde(&eh, self, PC, FUNCTION_SIZE, NULL, 0);
	put_fde(&eh, put_simple_cie(&eh), PC + FUNCTION_SIZE, FUNCTION_SIZE, NULL, 0);
	CHECK(open_cfi() == 0 && stats.fdes == 1 && stats.skipped_fdes == 3);
	CHECK(covers(PC + FUNCTION_SIZE, PC + FUNCTION_SIZE, PC + 2 * FUNCTION_SIZE));
	CHECK(!covers(PC, PC, PC + FUNCTION_SIZE));
	close_cfi();
}

/* LEB128 numbers of 20 bytes: good where the last ones say nothing, else no number. */
static void test_long_leb128(void)
{
	uint8_t program[22] = {DW_CFA_def_cfa_offset, 0x90};

	memset(program + 2, 0x80, 18);
	program[20] = 0;
	open_program(program, 21);
	CHECK(n_rows == 1 && rows[0].cfa.off == 16);
	close_cfi();
	program[20] = 1;
	check_skipped(program, 21);
	memset(program + 1, 0xff, 21); /* without an end */
	check_skipped(program, 22);
}

/* A CIE of absurd size, which each of many FDEs would have to run, is refused. */
static void test_large_cie(void)
{
	static const uint8_t nops[5000];
	size_t cie = put_cie(&eh, "zR", (uint8_t[]){1, DW_EH_PE_pcrel | DW_EH_PE_sdata4}, 2);

	put(&eh, nops, sizeof(nops));
	patch_uint(&eh, cie, eh.size - cie - 4, 4);
	put_fde(&eh, cie, PC, FUNCTION_SIZE, NULL, 0);
	CHECK(open_cfi() == 0 && stats.fdes == 0 && stats.skipped_fdes == 1);
	close_cfi();
}

int main(void)
{
	test_large_cie();
	test_hostile_entries();
	test_long_leb128();
	test_set_loc_in_function();
	test_simple();
	test_register_rules();
	test_cfa_rules();
	test_cfa_after_expression();
	test_remember();
	test_malformed_programs();
	test_deep_nesting();
	test_set_loc();
	test_past_the_end();
	test_encodings();
	test_augmentations();
	test_debug_frame();
	test_64_bit_eh_frame();
	test_nothing_there();
	test_broken_entries();
	free(eh.data);
	free(debug_frame.data);
	free(hdr.data);
	return test_end();
}
