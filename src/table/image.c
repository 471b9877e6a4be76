/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "table/image.h"

#define PAGE_SIZE (1ULL << DWUNW_PAGE_SHIFT)
#define MAX_PAGES (1u << 20) /* 64 GiB of code */
#define MIN_GAP 16	     /* a shorter one is padding between functions */
/*
 * Rows that one can need besides one for each page that it touches: itself, and one of the gap
 * before it.
 */
#define ROWS_PER_ROW 2

struct image {
	/*
	 * Header, pages, rows and rules grow in the block that is handed out; it begins as large as
	 * it can get.
	 */
	struct dwunw_table_header *header;
	struct dwunw_table_page *pages;
	struct dwunw_table_page *page; /* of the last row */
	uint32_t *rows;
	uint32_t *next; /* row */
	uint64_t end;	/* up to which rows say something */
	uint16_t rule;	/* of the last row */
};

int image_create(uint16_t machine, uint64_t start, uint64_t end, size_t max_rows, size_t n_rules,
		 struct image **ret)
{
	struct image *image;
	uint64_t n_pages = 0, rows, size;

	if (start < end)
		n_pages = ((end - 1) >> DWUNW_PAGE_SHIFT) - (start >> DWUNW_PAGE_SHIFT) + 1;
	if (n_pages > MAX_PAGES || max_rows > UINT32_MAX)
		return -E2BIG;
	/*
	 * Each page may repeat the row in force at its start, and end in one that says "nothing".
	 */
	rows = sizeof(struct dwunw_table_header) + n_pages * sizeof(struct dwunw_table_page);
	size = rows + (ROWS_PER_ROW * (uint64_t)max_rows + 2 * n_pages + 1) * sizeof(uint32_t) +
	       n_rules * sizeof(struct dwunw_rule);
	if (size > UINT32_MAX)
		return -E2BIG;
	image = calloc(1, sizeof(*image));
	if (!image)
		return -ENOMEM;
	image->header = malloc(size);
	if (!image->header) {
		free(image);
		return -ENOMEM;
	}
	*image->header = (struct dwunw_table_header){
		.magic = DWUNW_TABLE_MAGIC,
		.version = DWUNW_TABLE_VERSION,
		.machine = machine,
		.n_pages = n_pages,
		.first_page = start >> DWUNW_PAGE_SHIFT,
		.pages = sizeof(*image->header),
		.rows = rows,
		.n_rules = n_rules,
	};
	image->pages = (void *)(image->header + 1);
	memset(image->pages, 0, n_pages * sizeof(image->pages[0]));
	image->rows = image->next = (void *)(image->pages + n_pages);
	image->end = image->header->first_page << DWUNW_PAGE_SHIFT;
	*ret = image;
	return 0;
}

void image_destroy(struct image *image)
{
	if (!image)
		return;
	free(image->header);
	free(image);
}

static void begin_page(struct image *image, uint64_t vaddr)
{
	const char *next = (const char *)image->next;

	image->page = &image->pages[(vaddr >> DWUNW_PAGE_SHIFT) - image->header->first_page];
	image->page->rows = next - (const char *)image->header;
}

static inline void add_row(struct image *image, uint64_t vaddr, uint16_t rule)
{
	uint64_t off = vaddr & (PAGE_SIZE - 1);

	/* Every page has a row for its first byte. */
	if (off == 0)
		begin_page(image, vaddr);
	image->page->n_rows++;
	*image->next++ = IMAGE_ROW(off, rule);
	image->rule = rule;
}

/* A row for [start, end), begun anew at each page in it. */
static inline void add_pages(struct image *image, uint64_t start, uint64_t end, uint16_t rule)
{
	bool new_page = (start & (PAGE_SIZE - 1)) == 0;

	if (new_page || rule != image->rule)
		add_row(image, start, rule);
	for (uint64_t page = (start | (PAGE_SIZE - 1)) + 1; page && page < end; page += PAGE_SIZE)
		add_row(image, page, rule);
	image->end = end;
}

/*
 * Rule 0 from the end of what is known to `start`, but pages that have nothing else get no row at
 * all.
 */
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

/* Up to `start`. */
static void close_gap(struct image *image, uint64_t start, bool keep)
{
	if (start == image->end)
		return;
	/* At the very start there is no row that could take the gap over. */
	if (!keep && start - image->end < MIN_GAP && image->next != image->rows)
		add_pages(image, image->end, start, image->rule);
	else
		add_gap(image, start);
}

void image_add(struct image *image, const struct image_piece *piece)
{
	uint64_t start = piece->start;

	close_gap(image, start, piece->keep_gap);
	for (size_t i = 0; start < piece->end; i++) {
		uint64_t end = piece->end;

		if (i + 1 < piece->n_rows && piece->base + IMAGE_ROW_OFF(piece->rows[i + 1]) < end)
			end = piece->base + IMAGE_ROW_OFF(piece->rows[i + 1]);
		add_pages(image, start, end, IMAGE_ROW_RULE(piece->rows[i]));
		start = end;
	}
}

struct dwunw_table_header *image_finish(struct image *image, const struct dwunw_rule *rules)
{
	struct dwunw_table_header *header = image->header, *shrunk;
	size_t rules_size = header->n_rules * sizeof(rules[0]);

	/* The last page goes on behind the code. */
	if (image->end & (PAGE_SIZE - 1) && image->rule != 0)
		add_row(image, image->end, 0);
	header->n_rows = image->next - image->rows;
	header->rules = header->rows + header->n_rows * sizeof(image->rows[0]);
	header->size = header->rules + rules_size;
	memcpy((char *)header + header->rules, rules, rules_size);
	image->header = NULL;
	shrunk = realloc(header, header->size);
	return shrunk ? shrunk : header;
}
