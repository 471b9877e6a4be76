/* SPDX-License-Identifier: BSD-2-Clause */
/* The frames of a view, each once, and what they are called. */
#ifndef OUTPUT_FRAMES_H
#define OUTPUT_FRAMES_H

#include <stddef.h>
#include <stdint.h>

struct view;
struct view_frame;

struct frame_table {
	const struct view_frame **frames; /* different ones, in the order of the view */
	size_t n;
	uint32_t *of; /* index of each frame of the first stack, then of each of the second, ... */
	size_t n_of;
};

/* -ENOMEM. Valid as long as the view. */
int frame_table_create(const struct view *view, struct frame_table *ret);
void frame_table_free(struct frame_table *table);

/* Its function; of one without a name `[FILE+0xOFFSET]`, an offset in the file, `[FILE]` or `[unknown]`. To be freed; NULL: no memory. */
char *frame_name(const struct view *view, const struct view_frame *frame);

/* What is behind the last slash. */
const char *path_base(const char *path);

#endif
