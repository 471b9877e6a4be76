/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rules of a table, each once. Rule 0 is "no CFI". When DWUNW_MAX_RULES is reached, the last
 * one becomes "rule needs user space" and stands for all further ones.
 */
#ifndef TABLE_DICTIONARY_H
#define TABLE_DICTIONARY_H

#include <stddef.h>
#include <dwunw/table_format.h>

struct arch;
struct cfi_row;
struct dictionary;

int dictionary_create(const struct arch *arch, struct dictionary **ret);
void dictionary_destroy(struct dictionary *dictionary);

/* Index of the row's rule, whose kind may be asked for with dictionary_rules(). -ENOMEM. */
int dictionary_intern(struct dictionary *dictionary, const struct cfi_row *row, __u16 *ret);

/* Forgets all rules but the first `n`, as if they had never come. */
void dictionary_truncate(struct dictionary *dictionary, size_t n);

const struct dwunw_rule *dictionary_rules(const struct dictionary *dictionary, size_t *n);
/* Index of the rule that stands for those that did not fit; 0 if all did. */
__u16 dictionary_overflow(const struct dictionary *dictionary);

#endif
