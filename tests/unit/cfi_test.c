/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves what the CFI parser makes of sections put together byte by byte from DWARF 5 section 6.4
 * and the LSB: pointer encodings, augmentations, versions, every DW_CFA instruction, and what it
 * must skip and count. (tests/parity compares whole files with readelf.)
 */
#include <dwarf.h>
#include <errno.h>
#include "cfi/cfi.h"
#include "elf/elf_file.h"
#include "elf_image.h"
#include "../test.h"

#define SPAN 0x8000
#define HDR_VADDR 0x4000
#define GOT_VADDR 0x4800
#define EH_VADDR 0x5000
#define PC 0x1000 /* of the first function */
#define FUNCTION_SIZE 0x100

enum { RBX = 3, RDI = 5, RBP = 6, RSP = 7, R12 = 12, RIP = 16 };

/* One section under construction, and what is opened from it. */
static struct bytes eh, debug_frame, hdr, image;
static struct elf_file *elf;
static struct cfi *cfi;
static struct cfi_stats stats;
static struct cfi_row rows[256];
static size_t n_rows, n_void, n_good; /* n_void: rows of the FDE that has not come to its end */

static size_t begin_entry(struct bytes *b, bool is_64)
{
	if (is_64)
		put_uint(b, 0xffffffff, 4);
	put_uint(b, 0, is_64 ? 8 : 4);
	return b->size;
}

static void end_entry(struct bytes *b, size_t body, bool is_64)
{
	while (b->size % 4)
		put_u8(b, DW_CFA_nop);
	patch_uint(b, body - (is_64 ? 8 : 4), b->size - body, is_64 ? 8 : 4);
}

/*
 * Augmentation string and data, then CFA = rsp + 8, return address at CFA - 8. Returns the CIE's
 * offset.
 */
static size_t put_cie(struct bytes *b, const char *augmentation, const void *data, size_t size)
{
	size_t off = b->size;
	size_t body = begin_entry(b, false);

	put_uint(b, 0, 4);
	put_u8(b, 1);
	put(b, augmentation, strlen(augmentation) + 1);
	put_uleb(b, 1);
	put_u8(b, 0x78);
	put_u8(b, RIP);
	put(b, data, size);
	put(b, (uint8_t[]){DW_CFA_def_cfa, RSP, 8, DW_CFA_offset | RIP, 1}, 5);
	end_entry(b, body, false);
	return off;
}

static size_t put_simple_cie(struct bytes *b)
{
	return put_cie(b, "zR", (uint8_t[]){1, DW_EH_PE_pcrel | DW_EH_PE_sdata4}, 2);
}

/* A FDE of that simple CIE. */
static size_t put_fde(struct bytes *b, size_t cie, uint64_t start, uint64_t size,
		      const void *program, size_t program_size)
{
	size_t off = b->size;
	size_t body = begin_entry(b, false);

	put_uint(b, body - cie, 4);
	put_uint(b, start - (EH_VADDR + b->size), 4);
	put_uint(b, size, 4);
	put_u8(b, 0);
	put(b, program, program_size);
	end_entry(b, body, false);
	return off;
}

static int on_row(const struct cfi_row *row, void *arg)
{
	(void)arg;
	if (n_rows < 256) {
		rows[n_rows++] = *row;
		n_void++;
	}
	return 0;
}

static int on_fde(bool is_good, void *arg)
{
	(void)arg;
	if (!is_good)
		n_rows -= n_void;
	n_void = 0;
	n_good += is_good;
	return 0;
}

/* Opens what was put together; 0 or cfi_open()'s error. */
static int open_cfi(void)
{
	struct image_section sections[4];
	size_t n = 0;
	int err;

	if (eh.size)
		sections[n++] = (struct image_section){".eh_frame", EH_VADDR, eh.data, eh.size};
	if (hdr.size)
		sections[n++] =
			(struct image_section){".eh_frame_hdr", HDR_VADDR, hdr.data, hdr.size};
	if (debug_frame.size)
		sections[n++] = (struct image_section){".debug_frame", 0, debug_frame.data,
						       debug_frame.size};
	sections[n++] = (struct image_section){".got", GOT_VADDR, (const uint8_t *)"12345678", 8};
	image = make_elf(sections, n, SPAN);
	n_rows = n_void = n_good = 0;
	cfi = NULL;
	stats = (struct cfi_stats){0};
	CHECK(elf_file_open_memory(image.data, image.size, &elf) == 0);
	err = cfi_open(elf, NULL, &cfi);
	if (!err)
		CHECK(cfi_for_each_row(cfi, on_row, on_fde, NULL, &stats) == 0);
	return err;
}

static void close_cfi(void)
{
	cfi_close(cfi);
	elf_file_close(elf);
	free(image.data);
	eh.size = debug_frame.size = hdr.size = 0;
}

static bool covers(uint64_t vaddr, uint64_t start, uint64_t end)
{
	struct cfi_row row;

	return cfi_find_row(cfi, vaddr, &row) == 0 && row.start == start && row.end == end;
}

/* One FDE with this program; opened. */
static void open_program(const void *program, size_t size)
{
	size_t cie = put_simple_cie(&eh);

	put_fde(&eh, cie, PC, FUNCTION_SIZE, program, size);
	CHECK(open_cfi() == 0);
}

#define OPEN_PROGRAM(...) open_program((uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__}))

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

/* One FDE with absolute 8-byte pointers, for CIEs whose augmentation does not say otherwise. */
static void put_absolute_fde(struct bytes *b, uint64_t cie_pointer, size_t id_size, bool is_64,
			     uint64_t start, const void *augmentation, size_t augmentation_size)
{
	size_t body = begin_entry(b, is_64);

	put_uint(b, cie_pointer, id_size);
	put_uint(b, start, 8);
	put_uint(b, FUNCTION_SIZE, 8);
	put(b, augmentation, augmentation_size);
	end_entry(b, body, is_64);
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

static void test_overlap(void)
{
	size_t cie = put_simple_cie(&eh);

	/*
	 * out of order, the middle one over parts of both others; the first of the section decides
	 */
	put_fde(&eh, cie, PC + 0x180, 0x100, (uint8_t[]){DW_CFA_def_cfa_offset, 16}, 2);
	put_fde(&eh, cie, PC + 0x80, 0x180, (uint8_t[]){DW_CFA_def_cfa_offset, 24}, 2);
	put_fde(&eh, cie, PC, 0x300, (uint8_t[]){DW_CFA_def_cfa_offset, 32}, 2);
	CHECK(open_cfi() == 0 && stats.fdes == 3);
	CHECK(covers(PC + 0x180, PC + 0x180, PC + 0x280) &&
	      covers(PC + 0x27f, PC + 0x180, PC + 0x280));
	CHECK(covers(PC + 0x80, PC + 0x80, PC + 0x200) &&
	      covers(PC + 0x17f, PC + 0x80, PC + 0x200));
	CHECK(covers(PC, PC, PC + 0x300) && covers(PC + 0x7f, PC, PC + 0x300));
	CHECK(covers(PC + 0x280, PC, PC + 0x300) && covers(PC + 0x2ff, PC, PC + 0x300));
	close_cfi();
}

static void put_hdr(const size_t *fdes, const uint64_t *starts, size_t n)
{
	put(&hdr, (uint8_t[]){1, 0x1b, 0x03, 0x3b}, 4);
	put_uint(&hdr, EH_VADDR - (HDR_VADDR + 4), 4);
	put_uint(&hdr, n, 4);
	for (size_t i = 0; i < n; i++) {
		put_uint(&hdr, starts[i] - HDR_VADDR, 4);
		put_uint(&hdr, EH_VADDR + fdes[i] - HDR_VADDR, 4);
	}
}

/*
 * The search table is used where it is sound; a table that knows only the first function gives that
 * away. An unsound one must not hide functions.
 */
static void test_hdr(void)
{
	static const uint64_t starts[] = {PC, PC + FUNCTION_SIZE, PC + 2 * FUNCTION_SIZE};
	struct cfi_row row;
	size_t fdes[3];

	for (int variant = 0; variant < 7; variant++) {
		size_t cie = put_simple_cie(&eh);
		bool used = variant == 0;

		for (int i = 0; i < 3; i++)
			fdes[i] = put_fde(&eh, cie, starts[i], FUNCTION_SIZE, NULL, 0);
		put_hdr(fdes, starts, variant == 0 ? 2 : 3);
		switch (variant) {
		case 2: /* another version */
			hdr.data[0] = 2;
			break;
		case 3: /* not in order */
			patch_uint(&hdr, 12, PC + FUNCTION_SIZE + 1 - HDR_VADDR, 4);
			break;
		case 4: /* more entries than there are bytes */
			patch_uint(&hdr, 8, 4, 4);
			break;
		case 5: /* a FDE outside of the section */
			patch_uint(&hdr, 16, EH_VADDR + eh.size - HDR_VADDR, 4);
			break;
		case 6: /* no table */
			hdr.data[3] = DW_EH_PE_omit;
			break;
		}
		CHECK(open_cfi() == 0 && stats.fdes == 3);
		CHECK(covers(PC, PC, PC + FUNCTION_SIZE));
		CHECK(covers(starts[1] + 5, starts[1], starts[2]));
		CHECK(covers(starts[2], starts[2], starts[2] + FUNCTION_SIZE) == !used);
		CHECK(cfi_find_row(cfi, PC - 1, &row) == -ENOENT);
		CHECK(cfi_find_row(cfi, starts[2] + FUNCTION_SIZE, &row) == -ENOENT);
		close_cfi();
	}
}

/*
 * Through the search table a malformed FDE is met by the lookup itself, also at a row before the
 * fault.
 */
static void test_hdr_to_malformed(void)
{
	static const uint64_t starts[] = {PC};
	size_t cie = put_simple_cie(&eh), fde;
	struct cfi_row row;

	fde = put_fde(&eh, cie, PC, FUNCTION_SIZE,
		      (uint8_t[]){DW_CFA_advance_loc | 8, DW_CFA_advance_loc | 1, 0x3f}, 3);
	put_hdr(&fde, starts, 1);
	CHECK(open_cfi() == 0 && stats.fdes == 0 && stats.skipped_fdes == 1);
	CHECK(cfi_find_row(cfi, PC, &row) == -EINVAL);
	CHECK(cfi_find_row(cfi, PC + FUNCTION_SIZE, &row) == -ENOENT);
	close_cfi();
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
	test_hdr_to_malformed();
	test_large_cie();
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
	test_overlap();
	test_hdr();
	free(eh.data);
	free(debug_frame.data);
	free(hdr.data);
	return test_end();
}
