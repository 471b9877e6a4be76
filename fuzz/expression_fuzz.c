/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A DWARF expression as CFI has them. First byte: bit 0: 4-byte addresses, 1: big endian, 2: the CFA is pushed first, 3: memory
 * cannot be read. Holds: failure leaves the result alone, the steps are bounded, and the same expression gives the same.
 */
#include "cfi/expression.h"
#include "fuzz.h"

#define UNTOUCHED 0x5a5a5a5a5a5a5a5aULL
#define MAX_READS 100000

struct target {
	bool unreadable;
	unsigned int n_reads;
};

static int get_reg(void *arg, uint64_t reg, uint64_t *ret)
{
	(void)arg;
	if (reg > 40)
		return -1;
	*ret = reg < 20 ? 0x7ffd0000 + 0x100 * reg : mix(reg);
	return 0;
}

static int read_memory(void *arg, uint64_t addr, unsigned int size, uint64_t *ret)
{
	struct target *target = arg;

	HOLDS(size >= 1 && size <= 8);
	HOLDS(++target->n_reads < MAX_READS);
	if (target->unreadable)
		return -1;
	*ret = size == 8 ? mix(addr) : mix(addr) & ((1ULL << 8 * size) - 1);
	return 0;
}

static int evaluate(const uint8_t *expr, size_t size, unsigned int flags, uint64_t *ret)
{
	struct target target = {.unreadable = flags & 8};
	const struct expression_context context = {
		.address_size = flags & 1 ? 4 : 8,
		.little_endian = !(flags & 2),
		.get_reg = get_reg,
		.read = read_memory,
		.load_bias = 0x555500000000,
		.arg = &target,
	};

	return expression_evaluate(expr, size, &context, flags & 4, 0x7ffd1000, ret);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	unsigned int flags = (unsigned int)input_uint(&input, 1);
	uint64_t first = UNTOUCHED, second = UNTOUCHED;
	size_t expr_size;
	uint8_t *expr = input_bytes(&input, input.left, &expr_size);
	int err = evaluate(expr, expr_size, flags, &first);

	HOLDS(err <= 0);
	HOLDS(!err || first == UNTOUCHED);
	HOLDS(err || !(flags & 1) || first <= UINT32_MAX);
	HOLDS(evaluate(expr, expr_size, flags, &second) == err && second == first);
	free(expr);
	return 0;
}
