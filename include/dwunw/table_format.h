/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The bytes of an unwind table: what src/table compiles from CFI, what the kernel walks over.
 *
 * A table is one image: header, page directory, rows, rules, in this order, little or big endian
 * as the machine that uses it, every part aligned to 4 bytes. Addresses are vaddrs of the ELF
 * file (before the load bias). Freestanding; the includer provides __u8 .. __s64.
 *
 *   vaddr --(>> 16)--> page --> rows of the page, sorted by pc --(index)--> rule
 *
 * A row is 4 bytes: (pc & 0xffff) << 16 | rule index. It is in force from its pc to the next row's.
 * Every page that has rows begins with the row in force at its first byte (pc 0), so a lookup never
 * looks into another page. Rule 0 is always DWUNW_NO_RULE: no CFI covers the address.
 */
#ifndef DWUNW_TABLE_FORMAT_H
#define DWUNW_TABLE_FORMAT_H

#include "event_format.h"

#define DWUNW_TABLE_MAGIC 0x54575544u /* "DUWT" */
#define DWUNW_TABLE_VERSION 1
#define DWUNW_PAGE_SHIFT 16
/* A page cannot have more rows than bytes, so a binary search takes at most 17 halvings. */
#define DWUNW_SEARCH_STEPS 17
/* Rules past this go to user space as DWUNW_STOP_EXPRESSION, and are counted by the compiler. */
#define DWUNW_MAX_RULES 16384

enum dwunw_rule_kind {
	DWUNW_RULE_SAME,      /* unchanged */
	DWUNW_RULE_UNDEFINED, /* not recoverable; as the rule of the return address: root frame */
	DWUNW_RULE_CFA_AT,    /* *(CFA + off) */
	DWUNW_RULE_CFA_PLUS,  /* CFA + off */
	DWUNW_RULE_REG_AT,    /* *(reg + off) */
	DWUNW_RULE_REG_PLUS,  /* reg + off */
	DWUNW_RULE_PLT, /* CFA only: reg + word + ((pc & 15) >= off ? word : 0): lazy PLT stubs */
	DWUNW_RULE_EXPRESSION, /* a DWARF expression that none of the above says */
	DWUNW_NO_RULE,	       /* CFA only: no CFI at this address */
};

/* dwunw_frame_rule.flags */
#define DWUNW_RULE_SIGNAL 1 /* 'S' augmentation: the caller's pc is exact */
#define DWUNW_RULE_NEEDS_REGS                                                                      \
	2 /* reads a register other than sp and fp, or restores sp by itself */

/* What the common walk needs. Register numbers are dense architecture indices (arch.h). */
struct dwunw_frame_rule {
	__s32 cfa_off;
	__s32 ra_off;
	__s32 fp_off;
	__u8 cfa_kind;
	__u8 cfa_reg;
	__u8 ra_kind;
	__u8 ra_reg;
	__u8 fp_kind;
	__u8 fp_reg;
	__u16 flags;
	__u32 saved; /* bit i: registers[i] has a rule other than SAME (neither sp nor fp, see below) */
	__u32 reserved[2];
};

/*
 * A full rule. The frame pointer's rule is in `frame` only. The stack pointer's is CFA, unless its bit
 * is set in frame.saved; then frame.flags has NEEDS_REGS.
 */
struct dwunw_rule {
	struct dwunw_frame_rule frame;
	__s32 off[DWUNW_MAX_REGS];
	__u8 kind[DWUNW_MAX_REGS];
	__u8 reg[DWUNW_MAX_REGS];
};

struct dwunw_table_page {
	__u32 rows; /* offset in the image of the page's first row, bytes */
	__u32 n_rows;
};

struct dwunw_table_header {
	__u32 magic;
	__u16 version;
	__u16 machine; /* ELF e_machine */
	__u32 size;    /* of the whole image */
	__u32 n_pages;
	__u64 first_page; /* vaddr >> DWUNW_PAGE_SHIFT of the first page */
	__u32 pages;	  /* offsets in the image, bytes */
	__u32 rows;
	__u32 n_rows;
	__u32 rules;
	__u32 n_rules;
	__u32 reserved;
};

#ifndef __cplusplus
_Static_assert(sizeof(struct dwunw_frame_rule) == 32, "one half cache line");
_Static_assert(sizeof(struct dwunw_rule) == 128, "rules are addressed by shifting");
#endif

/*
 * Index of the row in force at `pc16`, the low 16 bits of a vaddr. `rows` is an offset from `base`;
 * `mask` bounds every offset (a power of two less one in BPF, all ones in user space). The caller has seen
 * that n_rows is not 0. Without branches: the BPF verifier follows one path.
 */
static inline __attribute__((always_inline)) __u32
dwunw_find_row(const __u8 *base, __u32 mask, __u32 rows, __u32 n_rows, __u32 pc16)
{
	__u32 key = pc16 << 16 | 0xffff;
	__u32 first = 0, n = n_rows;

	for (int i = 0; i < DWUNW_SEARCH_STEPS; i++) {
		if (n < 2)
			break;
		__u32 half = n >> 1;
		__u32 row = *(const __u32 *)(base + ((rows + 4 * (first + half)) & mask & ~3u));
		__s64 below = (__s64)((__u64)key - row) >> 63; /* -1: the row is above the key */

		asm volatile("" : "+r"(below)); /* keep the compiler from making it a branch */
		first += half & (__u32)~below;
		n -= half;
	}
	return first;
}

#endif
