/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include "arch/arch.h"
#include "cfi/cfi.h"
#include "cfi/cover.h"
#include "table/dictionary.h"
#include "table/image.h"
#include "table/table.h"

/*
 * The rows of one FDE or, where they are too far apart for IMAGE_MAX_ROW_OFF, of a part of it.
 * `next` is where its next piece goes on.
 */
struct run {
	uint32_t next, end; /* in builder.rows */
	/*
	 * The only row of its FDE. A return address that is the first byte of such an FDE was put
	 * there by hand (makecontext): the walk must see that the byte before is no code. A
	 * function with one row makes no frame of its own, as those entered in this way do not.
	 */
	bool is_lone_row;
};

struct builder {
	struct dictionary *dictionary;
	uint32_t *rows;
	size_t n_rows, rows_capacity;
	struct run *runs;
	struct cover_range *ranges; /* of the runs, same index */
	size_t n_runs, runs_capacity;
	uint64_t run_start; /* of the last run */
	uint64_t fde_end;   /* of the last row */
	/* What there was before the FDE whose rows are coming in. */
	size_t fde_rows, fde_runs, fde_rules;
	struct image *image;
	struct table_stats stats;
};

static int grow(void *array, size_t *capacity, size_t size)
{
	size_t wanted = *capacity ? 2 * *capacity : 1024;
	void **p = array, *grown;

	if (wanted > UINT32_MAX)
		return -E2BIG;
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
	int err = 0;

	if (b->n_runs == capacity) {
		err = grow(&b->runs, &capacity, sizeof(b->runs[0]));
		if (!err)
			err = grow(&b->ranges, &b->runs_capacity, sizeof(b->ranges[0]));
	}
	if (err)
		return err;
	b->runs[b->n_runs] = (struct run){.next = b->n_rows};
	b->ranges[b->n_runs].start = start;
	b->run_start = start;
	return 0;
}

static void end_run(struct builder *b, uint64_t end)
{
	b->runs[b->n_runs].end = b->n_rows;
	b->ranges[b->n_runs++].end = end;
}

/* What a row needs that is not simply the next one of its run. */
static int make_room(struct builder *b, uint64_t start)
{
	bool is_first = b->n_rows == b->fde_rows;
	bool is_far = start - b->run_start > IMAGE_MAX_ROW_OFF;
	int err = 0;

	if (!is_first && is_far)
		end_run(b, start);
	if (is_first || is_far)
		err = begin_run(b, start);
	if (!err && b->n_rows == b->rows_capacity)
		err = grow(&b->rows, &b->rows_capacity, sizeof(b->rows[0]));
	return err;
}

static inline int add_row(struct builder *b, uint64_t start, uint16_t rule)
{
	bool is_first = b->n_rows == b->fde_rows;

	if (!is_first && IMAGE_ROW_RULE(b->rows[b->n_rows - 1]) == rule)
		return 0;
	if (is_first || start - b->run_start > IMAGE_MAX_ROW_OFF || b->n_rows == b->rows_capacity) {
		int err = make_room(b, start);

		if (err)
			return err;
	}
	b->rows[b->n_rows++] = IMAGE_ROW(start - b->run_start, rule);
	return 0;
}

static int collect_row(const struct cfi_row *row, void *arg)
{
	struct builder *b = arg;
	__u16 rule;
	int err;

	err = dictionary_intern(b->dictionary, row, &rule);
	if (err)
		return err;
	b->fde_end = row->end;
	return add_row(b, row->start, rule);
}

/* What there is now is not taken back any more. */
static void expect_fde(struct builder *b)
{
	b->fde_rows = b->n_rows;
	b->fde_runs = b->n_runs;
	dictionary_rules(b->dictionary, &b->fde_rules);
}

static int collect_fde(bool is_good, void *arg)
{
	struct builder *b = arg;

	if (is_good) {
		end_run(b, b->fde_end);
		b->runs[b->fde_runs].is_lone_row = b->n_rows == b->fde_rows + 1;
		expect_fde(b);
	} else {
		b->n_rows = b->fde_rows;
		b->n_runs = b->fde_runs;
		dictionary_truncate(b->dictionary, b->fde_rules);
	}
	return 0;
}

/* Pieces of a run come in ascending order. */
static int add_piece(uint64_t start, uint64_t end, size_t i, void *arg)
{
	struct builder *b = arg;
	struct run *run = &b->runs[i];
	uint64_t base = b->ranges[i].start;

	while (run->next + 1 < run->end && base + IMAGE_ROW_OFF(b->rows[run->next + 1]) <= start)
		run->next++;
	image_add(b->image, &(struct image_piece){
				    .start = start,
				    .end = end,
				    .base = base,
				    .rows = &b->rows[run->next],
				    .n_rows = run->end - run->next,
				    .keep_gap = run->is_lone_row && start == base,
			    });
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
	/* Cutting runs to pieces makes a row more for each end of a piece. */
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
	if (err)
		return err;
	expect_fde(b);
	err = cfi_for_each_row(cfi, collect_row, collect_fde, b, &stats);
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

size_t table_bytes(const struct table *table)
{
	return sizeof(*table) + table->header->size;
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
