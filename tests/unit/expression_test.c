/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves the DWARF expression machine: each operation against a value worked out from DWARF 5
 * section 2.5, address sizes 4 and 8, both byte orders, and that malformed expressions end with the
 * documented error.
 */
#include <dwarf.h>
#include <errno.h>
#include "cfi/expression.h"
#include "../test.h"

#define UNTOUCHED 0xfeedfacecafebeefULL

static int get_reg(void *arg, uint64_t reg, uint64_t *ret)
{
	(void)arg;
	if (reg > 31)
		return -ENODATA;
	*ret = 0x1000 * reg;
	return 0;
}

/* Memory in which each byte is the low byte of its address. */
static int read_memory(void *arg, uint64_t addr, unsigned int size, uint64_t *ret)
{
	(void)arg;
	if (addr >= 0x100000)
		return -EFAULT;
	*ret = 0;
	for (unsigned int i = 0; i < size; i++)
		*ret |= ((addr + i) & 0xff) << 8 * i;
	return 0;
}

static struct expression_context context = {
	.address_size = 8,
	.little_endian = true,
	.get_reg = get_reg,
	.read = read_memory,
	.load_bias = 0x555500000000,
};

static int run(const uint8_t *expr, size_t size, uint64_t *ret)
{
	*ret = UNTOUCHED;
	return expression_evaluate(expr, size, &context, true, 0x7000, ret);
}

/* Evaluates with 0x7000 on the stack. */
#define GIVES(value, ...)                                                                          \
	do {                                                                                       \
		static const uint8_t expr[] = {__VA_ARGS__};                                       \
		uint64_t got;                                                                      \
		CHECK(run(expr, sizeof(expr), &got) == 0);                                         \
		CHECK(got == (uint64_t)(value));                                                   \
	} while (0)

#define FAILS(error, ...)                                                                          \
	do {                                                                                       \
		static const uint8_t expr[] = {__VA_ARGS__};                                       \
		uint64_t got;                                                                      \
		CHECK(run(expr, sizeof(expr), &got) == (error));                                   \
		CHECK(got == UNTOUCHED);                                                           \
	} while (0)

static void test_constants(void)
{
	GIVES(31, DW_OP_lit31);
	GIVES(0xfe, DW_OP_const1u, 0xfe);
	GIVES(-2, DW_OP_const1s, 0xfe);
	GIVES(0xfedc, DW_OP_const2u, 0xdc, 0xfe);
	GIVES(-0x124, DW_OP_const2s, 0xdc, 0xfe);
	GIVES(0x80000001, DW_OP_const4u, 1, 0, 0, 0x80);
	GIVES(-0x7fffffffLL, DW_OP_const4s, 1, 0, 0, 0x80);
	GIVES(0x8877665544332211, DW_OP_const8u, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88);
	GIVES(0x8877665544332211, DW_OP_const8s, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88);
	GIVES(624485, DW_OP_constu, 0xe5, 0x8e, 0x26);
	GIVES(-123456, DW_OP_consts, 0xc0, 0xbb, 0x78);
	GIVES(-1, DW_OP_constu, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01);
	GIVES(1, DW_OP_constu, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0);
	GIVES(-1, DW_OP_consts, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f);
	FAILS(-EINVAL, DW_OP_constu, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02);
	FAILS(-EINVAL, DW_OP_consts, 0, 0x80);
	GIVES(0x555500001234, DW_OP_addr, 0x34, 0x12, 0, 0, 0, 0, 0, 0);
}

static void test_stack(void)
{
	GIVES(0x7000, DW_OP_nop);
	GIVES(0xe000, DW_OP_dup, DW_OP_plus);
	GIVES(0x7000, DW_OP_lit5, DW_OP_drop);
	GIVES(0x7000, DW_OP_lit5, DW_OP_over);
	GIVES(0x7000, DW_OP_lit5, DW_OP_lit6, DW_OP_pick, 2);
	GIVES(2, DW_OP_lit5, DW_OP_lit7, DW_OP_swap, DW_OP_minus);
	/* 1 2 3 -> 3 1 2: 3 - (1 - 2) */
	GIVES(4, DW_OP_lit1, DW_OP_lit2, DW_OP_lit3, DW_OP_rot, DW_OP_minus, DW_OP_minus);
	FAILS(-EINVAL, DW_OP_drop);
	FAILS(-EINVAL, DW_OP_drop, DW_OP_drop);
	FAILS(-EINVAL, DW_OP_swap);
	FAILS(-EINVAL, DW_OP_lit1, DW_OP_rot);
	FAILS(-EINVAL, DW_OP_pick, 1);
	FAILS(-EINVAL, DW_OP_over);
	FAILS(-EINVAL, DW_OP_pick);
	FAILS(-EINVAL, DW_OP_plus);
}

static void test_registers_and_memory(void)
{
	GIVES(0x7008, DW_OP_breg7, 8);
	GIVES(0x6ff8, DW_OP_breg7, 0x78);
	GIVES(0x1f010, DW_OP_bregx, 31, 0x10);
	GIVES(0x0706050403020100, DW_OP_deref);
	GIVES(0x13121110, DW_OP_plus_uconst, 0x10, DW_OP_deref_size, 4);
	FAILS(-EINVAL, DW_OP_deref_size, 0);
	FAILS(-EINVAL, DW_OP_deref_size, 9);
	FAILS(-ENODATA, DW_OP_bregx, 32, 0);
	FAILS(-EFAULT, DW_OP_const4u, 0, 0, 0x10, 0, DW_OP_deref);
	FAILS(-EINVAL, DW_OP_breg7);
}

static void test_arithmetic(void)
{
	GIVES(0x7fff, DW_OP_const2u, 0xff, 0x0f, DW_OP_or);
	GIVES(0x7000, DW_OP_const2u, 0xff, 0xff, DW_OP_and);
	GIVES(0x7001, DW_OP_lit1, DW_OP_xor);
	GIVES(0x6fff, DW_OP_lit1, DW_OP_minus);
	GIVES(0x15000, DW_OP_lit3, DW_OP_mul);
	GIVES(-3, DW_OP_const1s, 0xf9, DW_OP_lit2, DW_OP_div);
	GIVES(1, DW_OP_lit7, DW_OP_lit2, DW_OP_mod);
	FAILS(-EINVAL, DW_OP_lit0, DW_OP_div);
	FAILS(-EINVAL, DW_OP_lit0, DW_OP_mod);
	GIVES(1ULL << 63, DW_OP_lit1, DW_OP_const1u, 63, DW_OP_shl, DW_OP_const1s, 0xff, DW_OP_div);
	GIVES(-0x7000, DW_OP_neg);
	GIVES(~0x7000ULL, DW_OP_not);
	GIVES(5, DW_OP_const1s, 0xfb, DW_OP_abs);
	GIVES(0x70000, DW_OP_lit4, DW_OP_shl);
	GIVES(0x700, DW_OP_lit4, DW_OP_shr);
	GIVES(0, DW_OP_const1u, 64, DW_OP_shl);
	GIVES(0, DW_OP_const1s, 0xff, DW_OP_const1u, 200, DW_OP_shr);
	GIVES(-1, DW_OP_const1s, 0xff, DW_OP_const1u, 200, DW_OP_shra);
	GIVES(-2, DW_OP_const1s, 0xf8, DW_OP_lit2, DW_OP_shra);
	GIVES(1, DW_OP_const1s, 0xff, DW_OP_lit1, DW_OP_lt);
	GIVES(0, DW_OP_const1s, 0xff, DW_OP_lit1, DW_OP_gt);
	GIVES(1, DW_OP_lit1, DW_OP_lit1, DW_OP_ge);
	GIVES(1, DW_OP_lit1, DW_OP_lit1, DW_OP_le);
	GIVES(0, DW_OP_lit1, DW_OP_lit1, DW_OP_ne);
	GIVES(1, DW_OP_lit1, DW_OP_lit1, DW_OP_eq);
	/* the PLT stub's, at a pc that ends in 0: rsp + 8 */
	GIVES(0x7008, DW_OP_breg7, 8, DW_OP_breg16, 0, DW_OP_lit15, DW_OP_and, DW_OP_lit11,
	      DW_OP_ge, DW_OP_lit3, DW_OP_shl, DW_OP_plus);
	GIVES(0x7010, DW_OP_breg7, 8, DW_OP_breg16, 11, DW_OP_lit15, DW_OP_and, DW_OP_lit11,
	      DW_OP_ge, DW_OP_lit3, DW_OP_shl, DW_OP_plus);
}

static void test_control(void)
{
	GIVES(2, DW_OP_skip, 1, 0, DW_OP_lit1, DW_OP_lit2);
	GIVES(1, DW_OP_lit1, DW_OP_bra, 2, 0, DW_OP_lit2, DW_OP_nop, DW_OP_lit1);
	GIVES(7, DW_OP_lit7, DW_OP_lit0, DW_OP_bra, 0xff, 0x7f);
	/* counts 5 down to 0 */
	GIVES(0, DW_OP_lit5, DW_OP_lit1, DW_OP_minus, DW_OP_dup, DW_OP_bra, 0xfa, 0xff);
	GIVES(0x7000, DW_OP_skip, 0, 0);
	FAILS(-ELOOP, DW_OP_skip, 0xfd, 0xff);
	FAILS(-EINVAL, DW_OP_skip, 0xfc, 0xff);
	FAILS(-EINVAL, DW_OP_skip, 1, 0);
	FAILS(-EINVAL, DW_OP_skip, 0);
	FAILS(-EINVAL, DW_OP_dup, DW_OP_skip, 0xfc, 0xff); /* fills the stack */
	FAILS(-ENOTSUP, DW_OP_call_frame_cfa);
	FAILS(-ENOTSUP, DW_OP_push_object_address);
	FAILS(-ENOTSUP, DW_OP_reg0);
	FAILS(-ENOTSUP, DW_OP_call2, 0, 0);
	FAILS(-ENOTSUP, 0xff);
	FAILS(-ENOTSUP, 0x00);
}

static void test_address_sizes(void)
{
	const uint8_t addr[] = {DW_OP_addr, 0x12, 0x34, 0x56, 0x78};
	const uint8_t minus[] = {DW_OP_lit0, DW_OP_lit1, DW_OP_minus};
	const uint8_t signed_less[] = {DW_OP_lit0, DW_OP_lit1, DW_OP_minus, DW_OP_lit1, DW_OP_lt};
	uint64_t got;

	context.address_size = 4;
	context.load_bias = 0;
	CHECK(run(minus, sizeof(minus), &got) == 0 && got == 0xffffffff);
	CHECK(run(signed_less, sizeof(signed_less), &got) == 0 && got == 1);
	CHECK(run(addr, sizeof(addr), &got) == 0 && got == 0x78563412);
	context.little_endian = false;
	CHECK(run(addr, sizeof(addr), &got) == 0 && got == 0x12345678);
	context.address_size = 3;
	CHECK(run(addr, sizeof(addr), &got) == -EINVAL);
	context.address_size = 8;
	context.little_endian = true;

	/* an empty expression is what was pushed, or nothing */
	CHECK(run(NULL, 0, &got) == 0 && got == 0x7000);
	got = UNTOUCHED;
	CHECK(expression_evaluate(NULL, 0, &context, false, 0, &got) == -EINVAL &&
	      got == UNTOUCHED);
}

int main(void)
{
	test_constants();
	test_stack();
	test_registers_and_memory();
	test_arithmetic();
	test_control();
	test_address_sizes();
	return test_end();
}
