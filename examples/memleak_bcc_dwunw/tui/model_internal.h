/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of the model; private to this folder. */
#ifndef TUI_MODEL_INTERNAL_H
#define TUI_MODEL_INTERNAL_H

#include "tui/model.h"

/* Three lines, and the names of the columns or of the page. */
#define TUI_HEADER_ROWS 4

/* Filters and sorts anew; -ENOMEM: nothing is left. */
int model_order(struct tui_model *model);
/* After a change of the cursor, or of the room. */
void model_keep_in_sight(struct tui_model *model);

/* Lines of the page that is shown, and how many of them fit. */
size_t model_page_lines(const struct tui_model *model);
size_t model_page_room(const struct tui_model *model);

/* Parts of the picture. */
void draw_list(const struct tui_model *model, struct tui_grid *grid);
void draw_pane(const struct tui_model *model, struct tui_grid *grid);
void draw_page(const struct tui_model *model, struct tui_grid *grid);

#endif
