/* SPDX-License-Identifier: BSD-2-Clause */
/* What keys do. */
#include <stdio.h>
#include <string.h>

#include "output/view.h"
#include "tui/model_internal.h"

#define SHIFT 16       /* columns */
#define MAX_OUTWARD 64 /* functions */
#define CTRL(letter) ((letter) - '@')

/* The cursor is on another stack: it stays on that. */
static void move_to(struct tui_model *model, size_t place)
{
	uint32_t number;

	model->cursor = place;
	model_keep_in_sight(model);
	model->follows = model_selected(model, &number) == 0;
	if (model->follows) {
		model->pid = model->view->stacks[number].pid;
		model->identity = model->view->stacks[number].identity;
	}
	model->scroll = 0;
}

/* To the first place, whichever stack is there. */
static void move_home(struct tui_model *model)
{
	model->cursor = model->top = model->scroll = 0;
	model->follows = false;
}

static bool list_key(struct tui_model *model, int key)
{
	size_t page = model_layout(model).n_list;

	page = page > 1 ? page - 1 : 1;
	switch (key) {
	case TUI_KEY_UP:
		move_to(model, model->cursor ? model->cursor - 1 : 0);
		return true;
	case TUI_KEY_DOWN:
		move_to(model, model->cursor + 1);
		return true;
	case TUI_KEY_PAGE_UP:
		move_to(model, model->cursor > page ? model->cursor - page : 0);
		return true;
	case TUI_KEY_PAGE_DOWN:
		move_to(model, model->cursor + page);
		return true;
	case TUI_KEY_HOME:
		move_home(model);
		return true;
	case TUI_KEY_END:
		move_to(model, model->n_order ? model->n_order - 1 : 0);
		return true;
	case TUI_KEY_LEFT:
		model->outward -= model->outward > 0;
		return true;
	case TUI_KEY_RIGHT:
		model->outward += model->outward < MAX_OUTWARD;
		return true;
	default:
		return false;
	}
}

static void page_key(struct tui_model *model, int key)
{
	size_t room = model_page_room(model), lines = model_page_lines(model);
	size_t most = lines > room ? lines - room : 0, page = room > 1 ? room - 1 : 1;

	switch (key) {
	case TUI_KEY_UP:
		model->scroll -= model->scroll > 0;
		break;
	case TUI_KEY_DOWN:
		model->scroll++;
		break;
	case TUI_KEY_PAGE_UP:
		model->scroll -= model->scroll < page ? model->scroll : page;
		break;
	case TUI_KEY_PAGE_DOWN:
		model->scroll += page;
		break;
	case TUI_KEY_HOME:
		model->scroll = model->shift = 0;
		break;
	case TUI_KEY_END:
		model->scroll = most;
		break;
	case TUI_KEY_LEFT:
		model->shift -= model->shift < SHIFT ? model->shift : SHIFT;
		break;
	case TUI_KEY_RIGHT:
		model->shift += SHIFT;
		break;
	}
	if (model->scroll > most)
		model->scroll = most;
}

/* RFC 3629. Returns the length. */
static size_t encode(uint32_t code, char ret[4])
{
	size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const unsigned char first[] = {0, 0, 0xc0, 0xe0, 0xf0};

	for (size_t i = length - 1; i > 0; i--, code >>= 6)
		ret[i] = (char)(0x80 | (code & 0x3f));
	ret[0] = (char)(first[length == 1 ? 0 : length] | code);
	return length;
}

static void type_character(struct tui_model *model, uint32_t code)
{
	size_t used = strlen(model->filter);
	char bytes[4];
	size_t length = encode(code, bytes);

	if (used + length >= sizeof(model->filter))
		return;
	memcpy(model->filter + used, bytes, length);
	model->filter[used + length] = '\0';
}

static void erase_character(struct tui_model *model)
{
	size_t length = strlen(model->filter);

	while (length > 1 && ((unsigned char)model->filter[length - 1] & 0xc0) == 0x80)
		length--;
	model->filter[length ? length - 1 : 0] = '\0';
}

static bool is_character(int key)
{
	return (key >= 0x20 && key < 0x7f) || (key >= 0xa0 && key < 0x110000);
}

static int type_key(struct tui_model *model, int key)
{
	if (list_key(model, key))
		return 0;
	if (key == TUI_KEY_ENTER) {
		model->typing = false;
		return 0;
	}
	if (is_character(key))
		type_character(model, (uint32_t)key);
	else if (key == TUI_KEY_BACKSPACE)
		erase_character(model);
	else if (key == TUI_KEY_ESCAPE || key == CTRL('U'))
		model->filter[0] = '\0';
	else
		return 0;
	model->typing = key != TUI_KEY_ESCAPE;
	move_home(model);
	return model_order(model);
}

static void open_page(struct tui_model *model, enum tui_page page)
{
	if (model->page == page || (page == TUI_PAGE_STACK && model->page != TUI_PAGE_LIST))
		page = TUI_PAGE_LIST;
	if (page == TUI_PAGE_STACK && !model->n_order)
		return;
	if (page == TUI_PAGE_STACK)
		move_to(model, model->cursor);
	model->page = page;
	model->scroll = model->shift = 0;
}

/* Back from a page; from the list, the filter goes. */
static int escape(struct tui_model *model)
{
	if (model->page != TUI_PAGE_LIST) {
		open_page(model, TUI_PAGE_LIST);
		return 0;
	}
	if (!model->filter[0])
		return 0;
	model->filter[0] = '\0';
	return model_order(model);
}

static int sort_next(struct tui_model *model)
{
	do
		model->sort = (model->sort + 1) % TUI_N_SORTS;
	while (model->sort == TUI_SORT_AGE && model->view && model->view->no_ages);
	model->page = TUI_PAGE_LIST;
	move_home(model);
	return model_order(model);
}

static void begin_typing(struct tui_model *model)
{
	model->page = TUI_PAGE_LIST;
	model->typing = true;
	model->status[0] = '\0';
}

static enum tui_action action_of(int key)
{
	switch (key) {
	case 'q':
		return TUI_QUIT;
	case 'w':
		return TUI_WRITE;
	case 'r':
		return TUI_REFRESH;
	case CTRL('L'):
		return TUI_REDRAW;
	default:
		return TUI_NOTHING;
	}
}

static int command_key(struct tui_model *model, int key)
{
	switch (key) {
	case TUI_KEY_ENTER:
		open_page(model, TUI_PAGE_STACK);
		return 0;
	case TUI_KEY_ESCAPE:
		return escape(model);
	case 's':
		return sort_next(model);
	case '/':
		begin_typing(model);
		return 0;
	case 'p':
		model->paused = !model->paused;
		return 0;
	case 'm':
		open_page(model, TUI_PAGE_MESSAGES);
		return 0;
	case '?':
	case 'h':
		open_page(model, TUI_PAGE_HELP);
		return 0;
	}
	if (model->page != TUI_PAGE_LIST)
		page_key(model, key);
	else
		list_key(model, key);
	return 0;
}

/* Other names of keys. */
static int name_key(int key, bool typing)
{
	if (key == '\n' || key == '\r')
		return TUI_KEY_ENTER;
	if (key == '\b' || key == 0x7f)
		return TUI_KEY_BACKSPACE;
	if (typing)
		return key;
	return key == 'k' ? TUI_KEY_UP : key == 'j' ? TUI_KEY_DOWN : key;
}

int model_key(struct tui_model *model, int key, enum tui_action *ret)
{
	*ret = TUI_NOTHING;
	key = name_key(key, model->typing);
	if (model->typing)
		return type_key(model, key);
	*ret = action_of(key);
	return command_key(model, key);
}
