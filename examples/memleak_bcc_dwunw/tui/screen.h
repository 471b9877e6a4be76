/* SPDX-License-Identifier: BSD-2-Clause */
/* The terminal, through ncurses: cells to it, keys from it. One at a time, of one thread. */
#ifndef TUI_SCREEN_H
#define TUI_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

#include "tui/grid.h"

struct screen;

/* Whether stdin and stdout are a terminal that can be drawn on; if not, says why: -ENOTTY. Changes nothing. */
int screen_check(void);

/* Takes the terminal; -ENOTTY, said, or -errno. Signals are the caller's: SIGWINCH, SIGQUIT and SIGHUP are blocked from then on. */
int screen_open(struct screen **ret);
/* Gives the terminal back as it was. NULL is fine. */
void screen_close(struct screen *screen);

/* What to wait for: readable when a key or a signal came. */
int screen_keys_fd(const struct screen *screen);
int screen_signals_fd(const struct screen *screen);

bool screen_is_utf8(const struct screen *screen);
void screen_size(const struct screen *screen, size_t *rows, size_t *cols);
void screen_draw(struct screen *screen, const struct tui_grid *grid);
/* A line in the last row but one, until the next screen_draw(). */
void screen_tell(struct screen *screen, const char *text);
/* Everything anew at the next screen_draw(). */
void screen_spoil(struct screen *screen);

/* Takes a new size over; *resized is set then. -EPIPE: the user wants to end: SIGQUIT, or the terminal is gone. */
int screen_signals(struct screen *screen, bool *resized);
/* The next key (model.h); -EAGAIN: there is none, -EPIPE: the terminal is gone. */
int screen_key(struct screen *screen, int *ret);

#endif
