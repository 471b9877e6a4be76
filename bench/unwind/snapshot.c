/* SPDX-License-Identifier: BSD-2-Clause */
#include "snapshot.h"

#include <string.h>

#include "arch/arch.h"

int snapshot_register(const struct snapshot *snapshot, unsigned int reg, uint64_t *ret)
{
	const struct arch *arch = arch_native();
	int dense = arch_dense(arch, reg);

	if (reg == arch->ra_column) {
		*ret = snapshot->registers.pc;
		return 0;
	}
	if (dense < 0 || !(snapshot->registers.valid >> dense & 1))
		return -1;
	*ret = snapshot->registers.regs[dense];
	return 0;
}

int snapshot_word(const struct snapshot *snapshot, uint64_t addr, uint64_t *ret)
{
	uint64_t off = addr - snapshot->stack_start;

	if (off >= snapshot->stack_size || snapshot->stack_size - off < sizeof(*ret))
		return -1;
	memcpy(ret, snapshot->stack + off, sizeof(*ret));
	return 0;
}
