/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Whether a conditional jump of x86_64 would jump: for probes on such, and their tests. A condition is 1 + the lowest four bits of the jump's
 * opcode: Intel SDM, volume 2, appendix B.1.4.7; the flags: volume 1, 3.4.3.
 */
#ifndef DWUNW_CONDITION_H
#define DWUNW_CONDITION_H

#define DWUNW_CONDITION_FLAGS(ctx) ((ctx)->flags)

static inline int dwunw_condition_holds(unsigned int condition, unsigned long long flags)
{
	unsigned int code = condition - 1;
	int carry = flags & 1, parity = flags >> 2 & 1, zero = flags >> 6 & 1;
	int sign = flags >> 7 & 1, overflow = flags >> 11 & 1, holds;

	switch (code >> 1) {
	case 0:
		holds = overflow;
		break;
	case 1:
		holds = carry;
		break;
	case 2:
		holds = zero;
		break;
	case 3:
		holds = carry | zero;
		break;
	case 4:
		holds = sign;
		break;
	case 5:
		holds = parity;
		break;
	case 6:
		holds = sign ^ overflow;
		break;
	default:
		holds = zero | (sign ^ overflow);
		break;
	}
	return holds ^ (int)(code & 1);
}

#endif
