/* SPDX-License-Identifier: BSD-2-Clause */
#include <dwarf.h>
#include <errno.h>
#include "cfi/cursor.h"
#include "cfi/expression.h"

#define MAX_STACK 64
#define MAX_STEPS 4096 /* expressions of CFI have a few dozen; only a loop has more */

/*
 * Values have the size of an address and wrap around (the "generic type" of DWARF 5 section 2.5.1).
 */
struct evaluation {
	const struct expression_context *context;
	struct cursor cursor;
	const uint8_t *start;
	uint64_t mask;
	unsigned int n;
	uint64_t stack[MAX_STACK];
};

static int push(struct evaluation *e, uint64_t value)
{
	if (e->n == MAX_STACK || e->cursor.failed)
		return -EINVAL;
	e->stack[e->n++] = value & e->mask;
	return 0;
}

static int pop(struct evaluation *e, uint64_t *ret)
{
	if (e->n == 0)
		return -EINVAL;
	*ret = e->stack[--e->n];
	return 0;
}

/* The entry `depth` below the top, pushed again. */
static int pick(struct evaluation *e, unsigned int depth)
{
	if (e->cursor.failed || depth >= e->n)
		return -EINVAL;
	return push(e, e->stack[e->n - 1 - depth]);
}

static int64_t as_signed(const struct evaluation *e, uint64_t value)
{
	unsigned int unused = 64 - 8 * e->context->address_size;

	return (int64_t)(value << unused) >> unused;
}

static int push_constant(struct evaluation *e, uint8_t op)
{
	struct cursor *c = &e->cursor;

	switch (op) {
	case DW_OP_addr:
		return push(e, cursor_uint(c, e->context->address_size) + e->context->load_bias);
	case DW_OP_const1u:
	case DW_OP_const2u:
	case DW_OP_const4u:
	case DW_OP_const8u: /* the operand's size doubles with every second code */
		return push(e, cursor_uint(c, 1u << (op - DW_OP_const1u) / 2));
	case DW_OP_const1s:
	case DW_OP_const2s:
	case DW_OP_const4s:
	case DW_OP_const8s:
		return push(e, (uint64_t)cursor_sint(c, 1u << (op - DW_OP_const1s) / 2));
	case DW_OP_constu:
		return push(e, cursor_uleb(c));
	case DW_OP_consts:
		return push(e, (uint64_t)cursor_sleb(c));
	default:
		return push(e, op - DW_OP_lit0);
	}
}

static int push_reg(struct evaluation *e, uint64_t reg)
{
	int64_t off = cursor_sleb(&e->cursor);
	uint64_t value;
	int err;

	if (e->cursor.failed)
		return -EINVAL;
	err = e->context->get_reg(e->context->arg, reg, &value);
	return err ? err : push(e, value + (uint64_t)off);
}

static int dereference(struct evaluation *e, unsigned int size)
{
	uint64_t addr, value;
	int err;

	if (e->cursor.failed || size == 0 || size > e->context->address_size)
		return -EINVAL;
	err = pop(e, &addr);
	if (!err)
		err = e->context->read(e->context->arg, addr, size, &value);
	return err ? err : push(e, value);
}

static int change_stack(struct evaluation *e, uint8_t op)
{
	uint64_t *top = &e->stack[e->n];
	uint64_t value;

	switch (op) {
	case DW_OP_dup:
		return pick(e, 0);
	case DW_OP_over:
		return pick(e, 1);
	case DW_OP_pick:
		return pick(e, cursor_u8(&e->cursor));
	case DW_OP_drop:
		return pop(e, &value);
	case DW_OP_swap:
		if (e->n < 2)
			return -EINVAL;
		value = top[-1];
		top[-1] = top[-2];
		top[-2] = value;
		return 0;
	default: /* DW_OP_rot: the top becomes the third */
		if (e->n < 3)
			return -EINVAL;
		value = top[-1];
		top[-1] = top[-2];
		top[-2] = top[-3];
		top[-3] = value;
		return 0;
	}
}

static int apply_unary(struct evaluation *e, uint8_t op)
{
	uint64_t value;
	int err;

	err = pop(e, &value);
	if (err)
		return err;
	switch (op) {
	case DW_OP_abs:
		return push(e, as_signed(e, value) < 0 ? -value : value);
	case DW_OP_neg:
		return push(e, -value);
	case DW_OP_not:
		return push(e, ~value);
	default: /* DW_OP_plus_uconst */
		return push(e, value + cursor_uleb(&e->cursor));
	}
}

static uint64_t shift(const struct evaluation *e, uint8_t op, uint64_t value, uint64_t by)
{
	bool too_far = by >= 8 * e->context->address_size;

	if (op == DW_OP_shra)
		return (uint64_t)(as_signed(e, value) >> (too_far ? 63 : by));
	if (too_far)
		return 0;
	return op == DW_OP_shl ? value << by : value >> by;
}

static int divide(struct evaluation *e, uint8_t op, uint64_t a, uint64_t b)
{
	if (b == 0)
		return -EINVAL;
	if (op == DW_OP_mod) /* unsigned, unlike the division */
		return push(e, a % b);
	/* The least number divided by -1 is the one division that overflows. */
	if (as_signed(e, b) == -1)
		return push(e, -a);
	return push(e, (uint64_t)(as_signed(e, a) / as_signed(e, b)));
}

static int apply_binary(struct evaluation *e, uint8_t op)
{
	uint64_t a, b;
	int err;

	err = pop(e, &b);
	if (!err)
		err = pop(e, &a);
	if (err)
		return err;
	switch (op) {
	case DW_OP_and:
		return push(e, a & b);
	case DW_OP_or:
		return push(e, a | b);
	case DW_OP_xor:
		return push(e, a ^ b);
	case DW_OP_plus:
		return push(e, a + b);
	case DW_OP_minus:
		return push(e, a - b);
	case DW_OP_mul:
		return push(e, a * b);
	case DW_OP_div:
	case DW_OP_mod:
		return divide(e, op, a, b);
	case DW_OP_shl:
	case DW_OP_shr:
	case DW_OP_shra:
		return push(e, shift(e, op, a, b));
	case DW_OP_eq:
		return push(e, a == b);
	case DW_OP_ne:
		return push(e, a != b);
	case DW_OP_lt:
		return push(e, as_signed(e, a) < as_signed(e, b));
	case DW_OP_le:
		return push(e, as_signed(e, a) <= as_signed(e, b));
	case DW_OP_gt:
		return push(e, as_signed(e, a) > as_signed(e, b));
	default: /* DW_OP_ge */
		return push(e, as_signed(e, a) >= as_signed(e, b));
	}
}

static int branch(struct evaluation *e, uint8_t op)
{
	int64_t delta = cursor_sint(&e->cursor, 2);
	uint64_t condition = 1;
	int err = 0;

	if (e->cursor.failed)
		return -EINVAL;
	if (op == DW_OP_bra)
		err = pop(e, &condition);
	if (err || !condition)
		return err;
	if (delta < e->start - e->cursor.pos || delta > e->cursor.end - e->cursor.pos)
		return -EINVAL;
	e->cursor.pos += delta;
	return 0;
}

static int step(struct evaluation *e, uint8_t op)
{
	if ((op >= DW_OP_const1u && op <= DW_OP_consts) || op == DW_OP_addr ||
	    (op >= DW_OP_lit0 && op <= DW_OP_lit31))
		return push_constant(e, op);
	if (op >= DW_OP_breg0 && op <= DW_OP_breg31)
		return push_reg(e, op - DW_OP_breg0);
	if (op >= DW_OP_dup && op <= DW_OP_rot)
		return change_stack(e, op);
	switch (op) {
	case DW_OP_bregx:
		return push_reg(e, cursor_uleb(&e->cursor));
	case DW_OP_deref:
		return dereference(e, e->context->address_size);
	case DW_OP_deref_size:
		return dereference(e, cursor_u8(&e->cursor));
	case DW_OP_abs:
	case DW_OP_neg:
	case DW_OP_not:
	case DW_OP_plus_uconst:
		return apply_unary(e, op);
	case DW_OP_skip:
	case DW_OP_bra:
		return branch(e, op);
	case DW_OP_nop:
		return 0;
	}
	/* What is left between these are the operations with two operands. */
	if (op >= DW_OP_and && op <= DW_OP_ne)
		return apply_binary(e, op);
	return -ENOTSUP;
}

int expression_evaluate(const uint8_t *expr, size_t size, const struct expression_context *context,
			bool push_initial, uint64_t initial, uint64_t *ret)
{
	struct evaluation e = {
		.context = context,
		.cursor = cursor_make(expr, size, context->little_endian),
		.start = expr,
	};
	uint64_t result;
	int err = 0;

	if (context->address_size != 4 && context->address_size != 8)
		return -EINVAL;
	e.mask = context->address_size == 8 ? ~0ULL : UINT32_MAX;
	if (push_initial)
		err = push(&e, initial);
	for (unsigned int steps = 0; !err && e.cursor.pos != e.cursor.end; steps++) {
		if (steps == MAX_STEPS)
			return -ELOOP;
		err = step(&e, *e.cursor.pos++);
	}
	if (!err && e.cursor.failed)
		err = -EINVAL;
	if (!err)
		err = pop(&e, &result);
	if (err)
		return err;
	*ret = result;
	return 0;
}
