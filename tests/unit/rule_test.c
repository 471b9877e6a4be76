/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves which rule rule_from_row() makes of a row: hand-made rows, one for each form that the step
 * knows and its near misses, which must not be mistaken for it. The numbers are x86_64's.
 */
#include <dwarf.h>
#include <elf.h>
#include <string.h>
#include "arch/arch.h"
#include "cfi/cfi.h"
#include "table/table.h"
#include "../test.h"

enum { RAX = 0, RBX = 3, RDI = 5, RBP = 6, RSP = 7, R10 = 10, R12 = 12, RIP = 16, XMM0 = 17 };

static struct cfi_row row;

static void begin(void)
{
	row = (struct cfi_row){
		.start = 0x1000,
		.end = 0x2000,
		.cfa = {.kind = CFI_REGISTER, .reg = RSP, .off = 8},
		.n_regs = RIP + 1,
		.ra_column = RIP,
	};
	row.regs[RIP] = (struct cfi_rule){.kind = CFI_OFFSET, .off = -8};
}

static struct dwunw_rule make(void)
{
	struct dwunw_rule rule;

	memset(&rule, 0xaa, sizeof(rule));
	rule_from_row(arch_find(EM_X86_64, ELFCLASS64, ELFDATA2LSB), &row, &rule);
	return rule;
}

#define EXPRESSION(k, ...)                                                                         \
	({                                                                                         \
		static const uint8_t expr[] = {__VA_ARGS__};                                       \
		(struct cfi_rule){.kind = (k), .expr = expr, .expr_size = sizeof(expr)};           \
	})

static void test_cfa(void)
{
	struct dwunw_rule rule;

	begin();
	rule = make();
	CHECK(rule.frame.cfa_kind == DWUNW_RULE_REG_PLUS && rule.frame.cfa_reg == RSP &&
	      rule.frame.cfa_off == 8);
	CHECK(rule.frame.ra_kind == DWUNW_RULE_CFA_AT && rule.frame.ra_off == -8);
	CHECK(rule.frame.fp_kind == DWUNW_RULE_SAME && rule.frame.flags == 0 &&
	      rule.frame.saved == 0);

	row.cfa = (struct cfi_rule){.kind = CFI_REGISTER, .reg = R10};
	rule = make();
	CHECK(rule.frame.cfa_reg == R10 && rule.frame.flags == DWUNW_RULE_NEEDS_REGS);

	/* a frame that realigns its stack keeps the CFA at rbp - 8 */
	row.cfa = EXPRESSION(CFI_EXPRESSION, DW_OP_breg6, 0x78, DW_OP_deref);
	rule = make();
	CHECK(rule.frame.cfa_kind == DWUNW_RULE_REG_AT && rule.frame.cfa_reg == RBP &&
	      rule.frame.cfa_off == -8 && rule.frame.flags == 0);

	row.cfa = EXPRESSION(CFI_EXPRESSION, DW_OP_bregx, 7, 0xa0, 0x01, DW_OP_plus_uconst, 8);
	rule = make();
	CHECK(rule.frame.cfa_kind == DWUNW_RULE_REG_PLUS && rule.frame.cfa_reg == RSP &&
	      rule.frame.cfa_off == 168);

	row.cfa = EXPRESSION(CFI_EXPRESSION, DW_OP_breg7, 0, DW_OP_deref, DW_OP_plus_uconst, 8);
	CHECK(make().frame.cfa_kind == DWUNW_RULE_EXPRESSION);
	row.cfa = EXPRESSION(CFI_EXPRESSION, DW_OP_breg7);
	CHECK(make().frame.cfa_kind == DWUNW_RULE_EXPRESSION);
	row.cfa = (struct cfi_rule){.kind = CFI_EXPRESSION};
	CHECK(make().frame.cfa_kind == DWUNW_RULE_EXPRESSION);
	row.cfa = (struct cfi_rule){.kind = CFI_REGISTER, .reg = XMM0};
	CHECK(make().frame.cfa_kind == DWUNW_RULE_EXPRESSION);
	row.cfa = (struct cfi_rule){.kind = CFI_REGISTER, .reg = RSP, .off = 1LL << 31};
	CHECK(make().frame.cfa_kind == DWUNW_RULE_EXPRESSION);
	row.cfa.off = INT32_MAX;
	CHECK(make().frame.cfa_kind == DWUNW_RULE_REG_PLUS);

	/* without a CFA there is a root, if CFI says so, or nothing at all */
	row.cfa = (struct cfi_rule){.kind = CFI_UNSPECIFIED};
	CHECK(make().frame.cfa_kind == DWUNW_NO_RULE);
	row.regs[RIP].kind = CFI_UNSPECIFIED;
	CHECK(make().frame.cfa_kind == DWUNW_NO_RULE);
	row.regs[RIP].kind = CFI_UNDEFINED;
	CHECK(make().frame.cfa_kind != DWUNW_NO_RULE &&
	      make().frame.ra_kind == DWUNW_RULE_UNDEFINED);
}

#define PLT(base, off, pc, mask, threshold, shift)                                                 \
	EXPRESSION(CFI_EXPRESSION, base, off, pc, 0, mask, DW_OP_and, threshold, DW_OP_ge, shift,  \
		   DW_OP_shl, DW_OP_plus)

static void test_plt(void)
{
	struct dwunw_rule rule;

	begin();
	row.cfa = PLT(DW_OP_breg7, 8, DW_OP_breg16, DW_OP_lit15, DW_OP_lit11, DW_OP_lit3);
	rule = make();
	CHECK(rule.frame.cfa_kind == DWUNW_RULE_PLT && rule.frame.cfa_reg == RSP &&
	      rule.frame.cfa_off == 11 && rule.frame.flags == 0);
	row.cfa = PLT(DW_OP_breg7, 8, DW_OP_breg16, DW_OP_lit15, DW_OP_lit10, DW_OP_lit3);
	CHECK(make().frame.cfa_kind == DWUNW_RULE_PLT && make().frame.cfa_off == 10);

	/* one digit off: something else */
	row.cfa = PLT(DW_OP_breg7, 16, DW_OP_breg16, DW_OP_lit15, DW_OP_lit11, DW_OP_lit3);
	CHECK(make().frame.cfa_kind == DWUNW_RULE_EXPRESSION);
	row.cfa = PLT(DW_OP_breg7, 8, DW_OP_breg15, DW_OP_lit15, DW_OP_lit11, DW_OP_lit3);
	CHECK(make().frame.cfa_kind == DWUNW_RULE_EXPRESSION);
	row.cfa = PLT(DW_OP_breg7, 8, DW_OP_breg16, DW_OP_lit7, DW_OP_lit5, DW_OP_lit3);
	CHECK(make().frame.cfa_kind == DWUNW_RULE_EXPRESSION);
	row.cfa = PLT(DW_OP_breg7, 8, DW_OP_breg16, DW_OP_lit15, DW_OP_lit11, DW_OP_lit2);
	CHECK(make().frame.cfa_kind == DWUNW_RULE_EXPRESSION);
	row.cfa.expr_size--;
	CHECK(make().frame.cfa_kind == DWUNW_RULE_EXPRESSION);
}

static void test_ra(void)
{
	struct dwunw_rule rule;

	begin();
	row.regs[RIP] = (struct cfi_rule){.kind = CFI_UNDEFINED};
	CHECK(make().frame.ra_kind == DWUNW_RULE_UNDEFINED);
	row.regs[RIP].kind = CFI_UNSPECIFIED;
	CHECK(make().frame.ra_kind == DWUNW_RULE_UNDEFINED);
	row.n_regs = 0;
	CHECK(make().frame.ra_kind == DWUNW_RULE_UNDEFINED);
	row.n_regs = RIP + 1;
	row.regs[RIP] = (struct cfi_rule){.kind = CFI_REGISTER, .reg = RDI}; /* __vfork */
	rule = make();
	CHECK(rule.frame.ra_kind == DWUNW_RULE_REG_PLUS && rule.frame.ra_reg == RDI &&
	      rule.frame.ra_off == 0 && rule.frame.flags == DWUNW_RULE_NEEDS_REGS);
	row.regs[RIP] = EXPRESSION(CFI_VAL_EXPRESSION, DW_OP_breg7, 8);
	CHECK(make().frame.ra_kind == DWUNW_RULE_REG_PLUS && make().frame.ra_reg == RSP &&
	      make().frame.ra_off == 8 && make().frame.flags == 0);
	row.regs[RIP] = (struct cfi_rule){.kind = CFI_VAL_OFFSET, .off = 4};
	CHECK(make().frame.ra_kind == DWUNW_RULE_CFA_PLUS && make().frame.ra_off == 4);

	/* a column that is a register: unchanged means that it is still there */
	row.ra_column = R12;
	CHECK(make().frame.ra_kind == DWUNW_RULE_REG_PLUS && make().frame.ra_reg == R12 &&
	      make().frame.flags == DWUNW_RULE_NEEDS_REGS);
}

static void test_saved(void)
{
	struct dwunw_rule rule;

	begin();
	row.regs[RBP] = (struct cfi_rule){.kind = CFI_OFFSET, .off = -16};
	row.regs[RBX] = (struct cfi_rule){.kind = CFI_OFFSET, .off = -24};
	row.regs[R12] = (struct cfi_rule){.kind = CFI_SAME};
	row.regs[RAX] = (struct cfi_rule){.kind = CFI_UNDEFINED};
	row.regs[R10] = (struct cfi_rule){.kind = CFI_REGISTER, .reg = R10};
	row.regs[XMM0] = (struct cfi_rule){.kind = CFI_OFFSET, .off = -64};
	row.n_regs = XMM0 + 1;
	rule = make();
	CHECK(rule.frame.fp_kind == DWUNW_RULE_CFA_AT && rule.frame.fp_off == -16);
	CHECK(rule.frame.saved == (1u << RBX | 1u << RAX));
	CHECK(rule.kind[RBX] == DWUNW_RULE_CFA_AT && rule.off[RBX] == -24);
	CHECK(rule.kind[RAX] == DWUNW_RULE_UNDEFINED);
	CHECK(rule.kind[RBP] == 0 && rule.off[RBP] == 0); /* in `frame` only */
	CHECK(rule.frame.flags == 0);

	/* a register that is not carried: its rule is known not to be known */
	row.regs[RBX] = (struct cfi_rule){.kind = CFI_REGISTER, .reg = XMM0};
	CHECK(make().kind[RBX] == DWUNW_RULE_EXPRESSION);
	row.regs[RBP] = (struct cfi_rule){.kind = CFI_REGISTER, .reg = R12};
	rule = make();
	CHECK(rule.frame.fp_kind == DWUNW_RULE_REG_PLUS && rule.frame.fp_reg == R12 &&
	      rule.frame.flags == DWUNW_RULE_NEEDS_REGS);
	row.regs[RBP] = (struct cfi_rule){.kind = CFI_UNDEFINED};
	CHECK(make().frame.fp_kind == DWUNW_RULE_UNDEFINED);

	/* the expression of a rule gives an address: a dereference in it would be a second one */
	row.regs[RBX] = EXPRESSION(CFI_EXPRESSION, DW_OP_breg6, 0x70);
	rule = make();
	CHECK(rule.kind[RBX] == DWUNW_RULE_REG_AT && rule.reg[RBX] == RBP && rule.off[RBX] == -16);
	row.regs[RBX] = EXPRESSION(CFI_EXPRESSION, DW_OP_breg6, 0x70, DW_OP_deref);
	CHECK(make().kind[RBX] == DWUNW_RULE_EXPRESSION);
	row.regs[RBX] = EXPRESSION(CFI_VAL_EXPRESSION, DW_OP_breg6, 0x70, DW_OP_deref);
	CHECK(make().kind[RBX] == DWUNW_RULE_REG_AT);
}

static void test_sp(void)
{
	struct dwunw_rule rule;

	begin();
	row.regs[RSP] = (struct cfi_rule){.kind = CFI_VAL_OFFSET, .off = 0};
	CHECK(make().frame.saved == 0 && make().frame.flags == 0);
	row.regs[RSP].off = 16;
	rule = make();
	CHECK(rule.frame.saved == 1u << RSP && rule.frame.flags == DWUNW_RULE_NEEDS_REGS &&
	      rule.kind[RSP] == DWUNW_RULE_CFA_PLUS && rule.off[RSP] == 16);
	row.regs[RSP] = (struct cfi_rule){.kind = CFI_SAME};
	rule = make();
	CHECK(rule.kind[RSP] == DWUNW_RULE_REG_PLUS && rule.reg[RSP] == RSP && rule.off[RSP] == 0);

	/* __restore_rt: CFA *(rsp + 160), rsp the same */
	row.signal_frame = true;
	row.cfa = EXPRESSION(CFI_EXPRESSION, DW_OP_breg7, 0xa0, 0x01, DW_OP_deref);
	row.regs[RSP] = EXPRESSION(CFI_EXPRESSION, DW_OP_breg7, 0xa0, 0x01);
	rule = make();
	CHECK(rule.frame.flags == DWUNW_RULE_SIGNAL && rule.frame.saved == 0);
	row.regs[RSP] = EXPRESSION(CFI_EXPRESSION, DW_OP_breg7, 0xa8, 0x01);
	rule = make();
	CHECK(rule.frame.flags == (DWUNW_RULE_SIGNAL | DWUNW_RULE_NEEDS_REGS) &&
	      rule.frame.saved == 1u << RSP && rule.kind[RSP] == DWUNW_RULE_REG_AT);
}

int main(void)
{
	test_cfa();
	test_plt();
	test_ra();
	test_saved();
	test_sp();
	return test_end();
}
