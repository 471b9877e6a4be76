/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes the image of a table: takes pieces of functions in ascending order, splits their rows at
 * pages, adds what is in gaps.
 */
#ifndef TABLE_IMAGE_H
#define TABLE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <dwunw/table_format.h>

struct image;

/* A row as it is collected: bytes from a base address << 16 | rule. */
#define IMAGE_ROW(off, rule) ((uint32_t)(off) << 16 | (rule))
#define IMAGE_ROW_OFF(row) ((row) >> 16)
#define IMAGE_ROW_RULE(row) ((uint16_t)(row))
#define IMAGE_MAX_ROW_OFF UINT16_MAX

/* [start, end) of the rows of a function, or of a part of it. */
struct image_piece {
	uint64_t start, end;
	uint64_t base;
	/* The first one is in force at `start`; further ones may lie past `end`. */
	const uint32_t *rows;
	size_t n_rows;
	bool keep_gap; /* before it; else a short gap goes to the piece before */
};

/*
 * `max_rows` bounds the rows of all pieces, but for those past the end of their piece; `n_rules`
 * are what image_finish() gets. -E2BIG where [start, end) is wider than a table can be.
 */
int image_create(uint16_t machine, uint64_t start, uint64_t end, size_t max_rows, size_t n_rules,
		 struct image **ret);
void image_destroy(struct image *image);

/* Neither empty nor below the end of the one before. */
void image_add(struct image *image, const struct image_piece *piece);

/* Hands out the finished table, to be freed with free(). */
struct dwunw_table_header *image_finish(struct image *image, const struct dwunw_rule *rules);

#endif
