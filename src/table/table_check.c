/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdbool.h>
#include "table/table.h"

/* Whether `n` elements of `size` bytes at offset `off` lie in the image, aligned. */
static bool part_fits(const struct dwunw_table_header *header, uint32_t off, uint64_t n,
		      size_t size)
{
	return off % 4 == 0 && off <= header->size && n <= (header->size - off) / size;
}

static bool header_is_sound(const struct dwunw_table_header *header)
{
	return header->magic == DWUNW_TABLE_MAGIC && header->version == DWUNW_TABLE_VERSION &&
	       header->n_rules >= 1 && header->n_rules <= DWUNW_MAX_RULES &&
	       part_fits(header, header->pages, header->n_pages, sizeof(struct dwunw_table_page)) &&
	       part_fits(header, header->rows, header->n_rows, sizeof(uint32_t)) &&
	       part_fits(header, header->rules, header->n_rules, sizeof(struct dwunw_rule)) &&
	       header->first_page <= UINT64_MAX >> DWUNW_PAGE_SHIFT &&
	       header->n_pages <= (UINT64_MAX >> DWUNW_PAGE_SHIFT) - header->first_page + 1;
}

static bool page_is_sound(const struct dwunw_table_header *header,
			  const struct dwunw_table_page *page)
{
	const uint32_t *rows;

	if (page->n_rows == 0)
		return true;
	/* Inside the rows, not merely inside the image. */
	if (page->rows % 4 || page->rows < header->rows ||
	    (page->rows - header->rows) / 4 > header->n_rows ||
	    page->n_rows > header->n_rows - (page->rows - header->rows) / 4)
		return false;
	rows = (const void *)((const char *)header + page->rows);
	if (rows[0] >> 16 != 0)
		return false;
	for (uint32_t i = 0; i < page->n_rows; i++) {
		if ((rows[i] & 0xffff) >= header->n_rules)
			return false;
		if (i && rows[i] >> 16 <= rows[i - 1] >> 16)
			return false;
	}
	return true;
}

/* PLT and "no rule" are of the CFA only. */
static bool is_reg_kind_bad(uint8_t kind)
{
	return kind > DWUNW_RULE_REG_PLUS && kind != DWUNW_RULE_EXPRESSION;
}

static bool rule_is_sound(const struct dwunw_rule *rule)
{
	const struct dwunw_frame_rule *frame = &rule->frame;

	if (frame->cfa_kind > DWUNW_NO_RULE || is_reg_kind_bad(frame->ra_kind) ||
	    is_reg_kind_bad(frame->fp_kind))
		return false;
	if (frame->cfa_reg >= DWUNW_MAX_REGS || frame->ra_reg >= DWUNW_MAX_REGS ||
	    frame->fp_reg >= DWUNW_MAX_REGS || frame->saved >> DWUNW_MAX_REGS)
		return false;
	for (unsigned int i = 0; i < DWUNW_MAX_REGS; i++) {
		if (is_reg_kind_bad(rule->kind[i]) || rule->reg[i] >= DWUNW_MAX_REGS)
			return false;
	}
	return true;
}

int table_check(const void *image, size_t size)
{
	const struct dwunw_table_header *header = image;
	const struct dwunw_table_page *pages;
	const struct dwunw_rule *rules;
	uint64_t n_rows = 0;

	if ((uintptr_t)image % _Alignof(struct dwunw_table_header) || size < sizeof(*header) ||
	    header->size > size || header->size < sizeof(*header) || !header_is_sound(header))
		return -EINVAL;
	pages = (const void *)((const char *)image + header->pages);
	for (uint32_t i = 0; i < header->n_pages; i++) {
		/* No page shares rows with another: a small image costs little time. */
		n_rows += pages[i].n_rows;
		if (n_rows > header->n_rows || !page_is_sound(header, &pages[i]))
			return -EINVAL;
	}
	rules = (const void *)((const char *)image + header->rules);
	for (uint32_t i = 0; i < header->n_rules; i++) {
		if (!rule_is_sound(&rules[i]))
			return -EINVAL;
	}
	return rules[0].frame.cfa_kind == DWUNW_NO_RULE ? 0 : -EINVAL;
}
