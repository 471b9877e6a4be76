/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CFI rows -> the compact table of include/dwunw/table_format.h.
 *
 * Equal neighbouring rows are merged; gaps between FDEs become rows of rule 0 (no CFI), those under
 * 16 bytes (padding) are given to the row before, unless the next FDE has one row only; where FDEs
 * overlap, the first in section order wins. A finished table is immutable: any thread may read it.
 */
#ifndef TABLE_H
#define TABLE_H

#include <stddef.h>
#include <stdint.h>
#include <dwunw/table_format.h>

struct arch;
struct cfi;
struct cfi_row;

struct table_stats {
	size_t fdes, skipped_fdes;
	size_t cfi_rows;	   /* rows that CFI has */
	size_t rows, rules, bytes; /* of the table */
	size_t expression_rules;   /* rules that only user space can apply */
	size_t overflow_rows;	   /* rows whose rule did not fit the dictionary */
};

struct table {
	const struct dwunw_table_header *header; /* the image; header->size bytes */
	struct table_stats stats;
};

int table_build(const struct cfi *cfi, struct table **ret);
void table_destroy(struct table *table);
/* Memory that it takes. */
size_t table_bytes(const struct table *table);

/*
 * -EINVAL unless `image` is a table that can be walked without leaving it (an image from a file is
 * not trusted).
 */
int table_check(const void *image, size_t size);

/* Rule in force at `vaddr`; never NULL: rule 0 where none is. */
const struct dwunw_rule *table_find_rule(const struct table *table, uint64_t vaddr);

/*
 * One CFI row as a rule. Recognizes the expressions that the step can apply itself: reg + off,
 * *(reg + off), and the lazy PLT stub. Anything else becomes DWUNW_RULE_EXPRESSION.
 */
void rule_from_row(const struct arch *arch, const struct cfi_row *row, struct dwunw_rule *ret);

#endif
