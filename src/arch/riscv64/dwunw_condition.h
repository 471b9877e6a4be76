/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* riscv64: no probe is put on a conditional jump. */
#ifndef DWUNW_CONDITION_H
#define DWUNW_CONDITION_H

#define DWUNW_CONDITION_FLAGS(ctx) 0

static inline int dwunw_condition_holds(unsigned int condition, unsigned long long flags)
{
	(void)condition;
	(void)flags;
	return 0;
}

#endif
