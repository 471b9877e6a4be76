/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DWARF expressions as CFI uses them (DWARF 5 sections 2.5 and 6.4.2): a stack machine over
 * registers and memory. Bounded in steps and stack depth; unknown or out-of-place operations
 * (DW_OP_call_frame_cfa, DW_OP_push_object_address, ...) fail.
 */
#ifndef CFI_EXPRESSION_H
#define CFI_EXPRESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct expression_context {
	unsigned int address_size; /* bytes: 4 or 8 */
	bool little_endian;
	/* DWARF register number -> value; 0 or a negative errno */
	int (*get_reg)(void *arg, uint64_t reg, uint64_t *ret);
	/* `size` (1..8) bytes of memory, zero-extended; 0 or a negative errno */
	int (*read)(void *arg, uint64_t addr, unsigned int size, uint64_t *ret);
	/* vaddr -> run-time address, for DW_OP_addr */
	uint64_t load_bias;
	void *arg;
};

/*
 * Evaluates with `initial` pushed first if `push_initial` (the CFA, for register rules). -EINVAL:
 * malformed; -ENOTSUP: an operation that CFI cannot use; -ELOOP: too many steps; else what get_reg
 * or read returned.
 */
int expression_evaluate(const uint8_t *expr, size_t size, const struct expression_context *context,
			bool push_initial, uint64_t initial, uint64_t *ret);

#endif
