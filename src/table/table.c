/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include "arch/arch.h"
#include "cfi/cfi.h"
#include "cfi/cover.h"
#include "table/dictionary.h"
#include "table/image.h"
#include "table/table.h"

/* A row within its FDE: bytes from the start of the FDE << 16 | rule. */
#define ROW_OFF(row) ((row) >> 16)
#define ROW_RULE(row) ((uint16_t)(row))
#define MAX_ROW_OFF (UINT64_MAX >> 16)

/* The rows of one FDE in builder.rows; `next` is where the next piece of it goes on. */
struct run {
	uint64_t start;
	size_t next, end;
};

struct builder {
	struct dictionary *dictionary;
	uint64_t *rows;
	size_t n_rows, rows_capacity;
	struct run *runs;
	struct cover_range *ranges; /* of the runs, same index */
	size_t n_runs, runs_capacity;
	bool in_fde;
	struct image *image;
	struct table_stats stats;
};

static int grow(void *array, size_t *capacity, size_t n, size_t size)
{
	size_t wanted = *capacity ? 2 * *capacity : 1024;
	void **p = array, *grown;

	if (n < *capacity)
		return 0;
	grown = reallocarray(*p, wanted, size);
	if (!grown)
		return -ENOMEM;
	*p = grown;
	*capacity = wanted;
	return 0;
}

static int begin_run(struct builder *b, uint64_t start)
{
	size_t capacity = b->runs_capacity;
	int err;

	err = grow(&b->runs, &capacity, b->n_runs, sizeof(b->runs[0]));
	if (!err)
		err = grow(&b->ranges, &b->runs_capacity, b->n_runs, sizeof(b->ranges[0]));
	if (err)
		return err;
	b->runs[b->n_runs] = (struct run){.start = start, .next = b->n_rows};
	b->ranges[b->n_runs] = (struct cover_range){.start = start};
	b->in_fde = true;
	return 0;
}

static int collect_row(const struct cfi_row *row, bool last, void *arg)
{
	struct builder *b = arg;
	bool first = !b->in_fde;
	struct run *run;
	uint64_t off;
	__u16 rule;
	int err;

	err = dictionary_intern(b->dictionary, row, &rule);
	if (!err && first)
		err = begin_run(b, row->start);
	if (!err)
		err = grow(&b->rows, &b->rows_capacity, b->n_rows, sizeof(b->rows[0]));
	if (err)
		return err;
	run = &b->runs[b->n_runs];
	off = row->start - run->start;
	if (off > MAX_ROW_OFF)
		return -E2BIG;
	if (first || ROW_RULE(b->rows[b->n_rows - 1]) != rule)
		b->rows[b->n_rows++] = off << 16 | rule;
	if (last) {
		run->end = b->n_rows;
		b->ranges[b->n_runs++].end = row->end;
		b->in_fde = false;
	}
	return 0;
}

/* The rows of run `order` that lie in [start, end); pieces of a run come in ascending order. */
static int add_piece(uint64_t start, uint64_t end, size_t order, void *arg)
{
	struct builder *b = arg;
	struct run *run = &b->runs[order];
	/*
	 * A return address that is the first byte of such an FDE was put there by hand
	 * (makecontext): the walk must see that the byte before is no code. A function with one row
	 * makes no frame of its own, as those entered in this way do not.
	 */
	bool keep_gap = start == run->start && run->next + 1 == run->end;

	while (start < end) {
		uint64_t row_end = end;

		if (run->next + 1 < run->end) {
			uint64_t next_start = run->start + ROW_OFF(b->rows[run->next + 1]);

			if (next_start <= start) {
				run->next++;
				continue;
			}
			if (next_start < end)
				row_end = next_start;
		}
		image_add(b->image, start, row_end, ROW_RULE(b->rows[run->next]), keep_gap);
		keep_gap = false;
		start = row_end;
	}
	return 0;
}

static int make_image(struct builder *b, uint16_t machine, struct dwunw_table_header **ret)
{
	const struct dwunw_rule *rules;
	uint64_t start = UINT64_MAX, end = 0;
	size_t n_rules;
	int err;

	for (size_t i = 0; i < b->n_runs; i++) {
		if (b->ranges[i].start < start)
			start = b->ranges[i].start;
		if (b->ranges[i].end > end)
			end = b->ranges[i].end;
	}
	rules = dictionary_rules(b->dictionary, &n_rules);
	/* Each row gives a range, and cutting runs to pieces adds one for each end of a piece. */
	err = image_create(machine, start, end, b->n_rows + 2 * b->n_runs, n_rules, &b->image);
	if (!err)
		err = cover_resolve(b->ranges, b->n_runs, add_piece, b);
	if (err)
		return err;
	*ret = image_finish(b->image, rules);
	return 0;
}

static void count(struct builder *b, const struct cfi_stats *cfi,
		  const struct dwunw_table_header *header)
{
	const struct dwunw_rule *rules = (const void *)((const char *)header + header->rules);
	const uint32_t *rows = (const void *)((const char *)header + header->rows);
	__u16 overflow = dictionary_overflow(b->dictionary);

	b->stats = (struct table_stats){
		.fdes = cfi->fdes,
		.skipped_fdes = cfi->skipped_fdes,
		.cfi_rows = cfi->rows,
		.rows = header->n_rows,
		.rules = header->n_rules,
		.bytes = header->size,
	};
	for (size_t i = 0; i < header->n_rules; i++) {
		const struct dwunw_frame_rule *frame = &rules[i].frame;

		if (frame->cfa_kind == DWUNW_RULE_EXPRESSION ||
		    frame->ra_kind == DWUNW_RULE_EXPRESSION ||
		    frame->fp_kind == DWUNW_RULE_EXPRESSION)
			b->stats.expression_rules++;
	}
	for (size_t i = 0; overflow && i < header->n_rows; i++)
		b->stats.overflow_rows += (rows[i] & 0xffff) == overflow;
}

static int build(struct builder *b, const struct cfi *cfi, struct table **ret)
{
	struct dwunw_table_header *header;
	struct cfi_stats stats;
	struct table *table;
	int err;

	err = dictionary_create(cfi_arch(cfi), &b->dictionary);
	if (!err)
		err = cfi_for_each_row(cfi, collect_row, b, &stats);
	if (!err)
		err = make_image(b, cfi_arch(cfi)->machine, &header);
	if (err)
		return err;
	count(b, &stats, header);
	table = malloc(sizeof(*table));
	if (!table) {
		free(header);
		return -ENOMEM;
	}
	*table = (struct table){header, b->stats};
	*ret = table;
	return 0;
}

int table_build(const struct cfi *cfi, struct table **ret)
{
	struct builder b = {0};
	int err;

	err = build(&b, cfi, ret);
	image_destroy(b.image);
	dictionary_destroy(b.dictionary);
	free(b.rows);
	free(b.runs);
	free(b.ranges);
	return err;
}

void table_destroy(struct table *table)
{
	if (!table)
		return;
	free((void *)table->header);
	free(table);
}

const struct dwunw_rule *table_find_rule(const struct table *table, uint64_t vaddr)
{
	const struct dwunw_table_header *header = table->header;
	const __u8 *image = (const __u8 *)header;
	const struct dwunw_rule *rules = (const void *)(image + header->rules);
	const struct dwunw_table_page *pages = (const void *)(image + header->pages);
	uint64_t page = (vaddr >> DWUNW_PAGE_SHIFT) - header->first_page;
	uint32_t row;

	if (page >= header->n_pages || pages[page].n_rows == 0)
		return &rules[0];
	row = dwunw_find_row(image, ~0u, pages[page].rows, pages[page].n_rows, vaddr & 0xffff);
	return &rules[*(const uint32_t *)(image + pages[page].rows + 4 * row) & 0xffff];
}
