/* SPDX-License-Identifier: BSD-2-Clause */
#include "tui/screen.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <wchar.h>

#include <curses.h>
#include <term.h>

#include "message.h"
#include "tui/model.h"

#define ESCAPE_MS                                                                                  \
	25 /* after which an escape character is the key, and not the begin of another one */
#define ESCAPE 27

struct screen {
	SCREEN *terminal;
	int signals_fd;
	bool utf8, colours;
};

int screen_check(void)
{
	const char *name = getenv("TERM");
	int found;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		message("--tui: %s is not a terminal",
			isatty(STDIN_FILENO) ? "standard output" : "standard input");
		return -ENOTTY;
	}
	if (!name || !name[0] || setupterm(NULL, STDOUT_FILENO, &found) != OK || !cursor_address ||
	    !clear_screen) {
		message("--tui: this terminal cannot be drawn on (TERM=%s)", name ? name : "");
		return -ENOTTY;
	}
	del_curterm(cur_term);
	return 0;
}

static int open_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

/* Yellow and blue are told apart by all; where something matters there is a word or a sign besides. */
static void begin_colours(struct screen *screen)
{
	const char *no = getenv("NO_COLOR"); /* no-color.org */

	screen->colours =
		has_colors() && !(no && no[0]) && start_color() == OK && use_default_colors() == OK;
	if (!screen->colours)
		return;
	init_pair(TUI_BAR, COLOR_CYAN, -1);
	init_pair(TUI_WARNING, COLOR_YELLOW, -1);
	init_pair(TUI_MATCH, COLOR_BLACK, COLOR_YELLOW);
}

int screen_open(struct screen **ret)
{
	struct screen *screen = calloc(1, sizeof(*screen));

	if (!screen)
		return -ENOMEM;
	setlocale(LC_CTYPE, "");
	screen->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	screen->signals_fd = open_signals();
	if (screen->signals_fd < 0) {
		int err = screen->signals_fd;

		free(screen);
		return err;
	}
	screen->terminal = newterm(NULL, stdout, stdin);
	if (!screen->terminal) {
		screen_close(screen);
		message("--tui: the terminal cannot be used");
		return -ENOTTY;
	}
	cbreak();
	noecho();
	nodelay(stdscr, TRUE);
	keypad(stdscr, TRUE);
	set_escdelay(ESCAPE_MS);
	curs_set(0);
	begin_colours(screen);
	*ret = screen;
	return 0;
}

void screen_close(struct screen *screen)
{
	if (!screen)
		return;
	if (screen->terminal) {
		endwin();
		delscreen(screen->terminal);
	}
	close(screen->signals_fd);
	free(screen);
}

int screen_keys_fd(const struct screen *screen)
{
	(void)screen;
	return STDIN_FILENO;
}

int screen_signals_fd(const struct screen *screen)
{
	return screen->signals_fd;
}

bool screen_is_utf8(const struct screen *screen)
{
	return screen->utf8;
}

void screen_size(const struct screen *screen, size_t *rows, size_t *cols)
{
	(void)screen;
	*rows = (size_t)LINES;
	*cols = (size_t)COLS;
}

void screen_spoil(struct screen *screen)
{
	(void)screen;
	clearok(curscr, TRUE);
}

static attr_t attributes_of(const struct screen *screen, const struct tui_cell *cell)
{
	static const attr_t plain[TUI_N_ROLES] = {
		[TUI_STRONG] = A_BOLD,	   [TUI_HEADING] = A_UNDERLINE,	   [TUI_WARNING] = A_BOLD,
		[TUI_MATCH] = A_UNDERLINE, [TUI_KEY] = A_BOLD | A_REVERSE,
	};
	attr_t ret = plain[cell->role];

	if (screen->colours && (cell->role == TUI_BAR || cell->role == TUI_WARNING ||
				(cell->role == TUI_MATCH && !cell->selected)))
		ret |= (attr_t)COLOR_PAIR(cell->role);
	if (screen->colours && cell->role == TUI_DIM && !cell->selected)
		ret |= A_DIM;
	return cell->selected ? ret | A_REVERSE : ret;
}

static void draw_row(const struct screen *screen, const struct tui_grid *grid, size_t row)
{
	const struct tui_cell *cells = &grid->cells[row * grid->cols];

	move((int)row, 0);
	for (size_t col = 0; col < grid->cols; col++) {
		wchar_t text[2] = {(wchar_t)cells[col].code};

		if (!cells[col].code)
			continue;
		attrset(attributes_of(screen, &cells[col]));
		if (cells[col].code < 0x80)
			addch(cells[col].code);
		else
			addnwstr(text, 1);
	}
}

void screen_draw(struct screen *screen, const struct tui_grid *grid)
{
	erase();
	for (size_t row = 0; row < grid->rows; row++)
		draw_row(screen, grid, row);
	attrset(A_NORMAL);
	refresh();
}

void screen_tell(struct screen *screen, const char *text)
{
	(void)screen;
	attrset(A_BOLD);
	move(LINES - 2, 0);
	clrtoeol();
	addnstr(text, COLS - 1);
	attrset(A_NORMAL);
	refresh();
}

static void take_size(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col)
		resizeterm(size.ws_row, size.ws_col);
}

int screen_signals(struct screen *screen, bool *resized)
{
	struct signalfd_siginfo info;
	int err = 0;

	while (read(screen->signals_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGWINCH) {
			err = -EPIPE;
			continue;
		}
		take_size();
		*resized = true;
	}
	return err;
}

static int name_key(wint_t key)
{
	switch (key) {
	case KEY_UP:
		return TUI_KEY_UP;
	case KEY_DOWN:
		return TUI_KEY_DOWN;
	case KEY_LEFT:
		return TUI_KEY_LEFT;
	case KEY_RIGHT:
		return TUI_KEY_RIGHT;
	case KEY_PPAGE:
		return TUI_KEY_PAGE_UP;
	case KEY_NPAGE:
		return TUI_KEY_PAGE_DOWN;
	case KEY_HOME:
		return TUI_KEY_HOME;
	case KEY_END:
		return TUI_KEY_END;
	case KEY_ENTER:
		return TUI_KEY_ENTER;
	case KEY_BACKSPACE:
		return TUI_KEY_BACKSPACE;
	default:
		return 0; /* one that means nothing here */
	}
}

int screen_key(struct screen *screen, int *ret)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	wint_t key;
	int kind = get_wch(&key);

	(void)screen;
	if (kind == ERR) {
		if (poll(&input, 1, 0) > 0 && (input.revents & (POLLHUP | POLLERR | POLLNVAL)))
			return -EPIPE;
		return -EAGAIN;
	}
	if (kind == KEY_CODE_YES)
		*ret = name_key(key);
	else
		*ret = key == ESCAPE ? TUI_KEY_ESCAPE : (int)key;
	return 0;
}
