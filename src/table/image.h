/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes the image of a table: takes ranges with their rule in ascending order, splits them at
 * pages, adds what is in gaps.
 */
#ifndef TABLE_IMAGE_H
#define TABLE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <dwunw/table_format.h>

struct image;

/*
 * `max_ranges` bounds the calls of image_add(); `n_rules` are what image_finish() gets. -E2BIG
 * where [start, end) is wider than a table can be.
 */
int image_create(uint16_t machine, uint64_t start, uint64_t end, size_t max_ranges, size_t n_rules,
		 struct image **ret);
void image_destroy(struct image *image);

/*
 * [start, end) has `rule`. Neither empty nor below the end of the one before. A short gap before it
 * goes to the range before, unless `keep_gap`.
 */
void image_add(struct image *image, uint64_t start, uint64_t end, uint16_t rule, bool keep_gap);

/* Hands out the finished table, to be freed with free(). */
struct dwunw_table_header *image_finish(struct image *image, const struct dwunw_rule *rules);

#endif
