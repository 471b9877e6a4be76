/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "table/image.h"

#define PAGE_SIZE (1ULL << DWUNW_PAGE_SHIFT)
#define MAX_PAGES (1u << 20) /* 64 GiB of code */
#define MIN_GAP 16	     /* a shorter one is padding between functions */
/* Rows that a range can need besides one for each page that it touches: its own, and one of the gap before it. */
#define ROWS_PER_RANGE 2

struct image {
	uint16_t machine;
	uint64_t first_page;
	size_t n_pages, n_rows, max_rows;
	struct dwunw_table_page *pages; /* .rows counts rows until the end */
	uint32_t *rows;
	uint64_t end;  /* up to which rows say something */
	uint16_t rule; /* of the last row */
};

int image_create(uint16_t machine, uint64_t start, uint64_t end, size_t max_ranges,
		 struct image **ret)
{
	struct image *image;
	uint64_t n_pages = 0;

	if (start < end)
		n_pages = ((end - 1) >> DWUNW_PAGE_SHIFT) - (start >> DWUNW_PAGE_SHIFT) + 1;
	if (n_pages > MAX_PAGES || max_ranges > UINT32_MAX / 16)
		return -E2BIG;
	image = calloc(1, sizeof(*image));
	if (!image)
		return -ENOMEM;
	image->machine = machine;
	image->first_page = start >> DWUNW_PAGE_SHIFT;
	image->end = image->first_page << DWUNW_PAGE_SHIFT;
	image->n_pages = n_pages;
	/* Each page may repeat the row in force at its start, and end in one that says "nothing". */
	image->max_rows = ROWS_PER_RANGE * max_ranges + 2 * n_pages;
	image->pages = calloc(n_pages + 1, sizeof(image->pages[0]));
	image->rows = malloc((image->max_rows + 1) * sizeof(image->rows[0]));
	if (!image->pages || !image->rows) {
		image_destroy(image);
		return -ENOMEM;
	}
	*ret = image;
	return 0;
}

void image_destroy(struct image *image)
{
	if (!image)
		return;
	free(image->pages);
	free(image->rows);
	free(image);
}

static void add_row(struct image *image, uint64_t vaddr, uint16_t rule)
{
	struct dwunw_table_page *page =
		&image->pages[(vaddr >> DWUNW_PAGE_SHIFT) - image->first_page];

	if (page->n_rows++ == 0)
		page->rows = image->n_rows;
	image->rows[image->n_rows++] = (uint32_t)(vaddr & (PAGE_SIZE - 1)) << 16 | rule;
	image->rule = rule;
}

/* A row for [start, end), begun anew at each page in it. */
static void add_pages(struct image *image, uint64_t start, uint64_t end, uint16_t rule)
{
	bool new_page = (start & (PAGE_SIZE - 1)) == 0;

	if (new_page || rule != image->rule)
		add_row(image, start, rule);
	for (uint64_t page = (start | (PAGE_SIZE - 1)) + 1; page && page < end; page += PAGE_SIZE)
		add_row(image, page, rule);
	image->end = end;
}

/* Rule 0 from the end of what is known to `start`, but pages that have nothing else get no row at all. */
static void add_gap(struct image *image, uint64_t start)
{
	uint64_t page = start & ~(PAGE_SIZE - 1);
	bool begun = (image->end & (PAGE_SIZE - 1)) != 0;

	if (begun && (image->end >> DWUNW_PAGE_SHIFT) != (start >> DWUNW_PAGE_SHIFT)) {
		add_pages(image, image->end, (image->end | (PAGE_SIZE - 1)) + 1, 0);
		begun = false;
	}
	if (!begun)
		image->end = page;
	if (image->end < start)
		add_pages(image, image->end, start, 0);
}

void image_add(struct image *image, uint64_t start, uint64_t end, uint16_t rule)
{
	if (start != image->end) {
		/* At the very start there is no row that could take the gap over. */
		if (start - image->end < MIN_GAP && image->n_rows)
			add_pages(image, image->end, start, image->rule);
		else
			add_gap(image, start);
	}
	add_pages(image, start, end, rule);
}

static void copy_parts(const struct image *image, const struct dwunw_rule *rules,
		       struct dwunw_table_header *header)
{
	struct dwunw_table_page *pages = (void *)((char *)header + header->pages);

	for (size_t i = 0; i < image->n_pages; i++) {
		pages[i] = (struct dwunw_table_page){
			.rows = header->rows + 4 * image->pages[i].rows,
			.n_rows = image->pages[i].n_rows,
		};
	}
	if (image->n_rows)
		memcpy((char *)header + header->rows, image->rows, 4 * image->n_rows);
	memcpy((char *)header + header->rules, rules, header->n_rules * sizeof(rules[0]));
}

int image_finish(struct image *image, const struct dwunw_rule *rules, size_t n_rules,
		 struct dwunw_table_header **ret)
{
	struct dwunw_table_header *header;
	size_t pages, rows, size;

	/* The last page goes on behind the code. */
	if (image->end & (PAGE_SIZE - 1) && image->rule != 0)
		add_row(image, image->end, 0);
	pages = sizeof(*header);
	rows = pages + image->n_pages * sizeof(image->pages[0]);
	size = rows + image->n_rows * sizeof(image->rows[0]) + n_rules * sizeof(rules[0]);
	if (size > UINT32_MAX)
		return -E2BIG;
	header = malloc(size);
	if (!header)
		return -ENOMEM;
	*header = (struct dwunw_table_header){
		.magic = DWUNW_TABLE_MAGIC,
		.version = DWUNW_TABLE_VERSION,
		.machine = image->machine,
		.size = size,
		.n_pages = image->n_pages,
		.first_page = image->first_page,
		.pages = pages,
		.rows = rows,
		.n_rows = image->n_rows,
		.rules = size - n_rules * sizeof(rules[0]),
		.n_rules = n_rules,
	};
	copy_parts(image, rules, header);
	*ret = header;
	return 0;
}
