/* SPDX-License-Identifier: BSD-2-Clause */
#include "message.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "progress.h"

/* Longer texts are cut: the names in them are the target's. */
#define MAX_TEXT 1024

static struct note {
	char text[MAX_TEXT];
	bool held; /* it is still to be printed */
} notes[MESSAGE_MAX_NOTES];
static size_t n_notes;

static struct {
	message_show *show; /* NULL: messages are printed */
	void *context;
	size_t left_out;
} hold;

/* Equal but for the numbers in them: the later one tells more. */
static bool say_the_same(const char *a, const char *b)
{
	for (;;) {
		a += strspn(a, "0123456789");
		b += strspn(b, "0123456789");
		if (*a != *b)
			return false;
		if (!*a)
			return true;
		a++;
		b++;
	}
}

static void note(const char *text)
{
	size_t i = 0;

	while (i < n_notes && !say_the_same(notes[i].text, text))
		i++;
	if (i == MESSAGE_MAX_NOTES) { /* the oldest goes */
		hold.left_out += notes[0].held;
		memmove(notes, notes + 1, sizeof(notes) - sizeof(notes[0]));
		notes[--i].held = false;
	}
	hold.left_out += notes[i].held;
	strcpy(notes[i].text, text);
	notes[i].held = hold.show != NULL;
	if (i == n_notes)
		n_notes++;
}

size_t message_notes(const char *ret[MESSAGE_MAX_NOTES])
{
	for (size_t i = 0; i < n_notes; i++)
		ret[i] = notes[i].text;
	return n_notes;
}

static void print_line(const char *text)
{
	progress_hide();
	fprintf(stderr, "memleak_dwunw_user: %s\n", text);
	progress_return();
}

void message_hold(message_show *show, void *context)
{
	hold.show = show;
	hold.context = context;
}

bool message_is_held(void)
{
	return hold.show;
}

void message_release(void)
{
	hold.show = NULL;
	for (size_t i = 0; i < n_notes; i++) {
		if (notes[i].held)
			print_line(notes[i].text);
		notes[i].held = false;
	}
	if (hold.left_out)
		fprintf(stderr,
			"memleak_dwunw_user: %zu earlier messages, most like these, are left out\n",
			hold.left_out);
	hold.left_out = 0;
}

void message_list(const char *format, va_list args)
{
	char text[MAX_TEXT];

	vsnprintf(text, sizeof(text), format, args);
	if (text[0] && text[strlen(text) - 1] == '\n') /* a library's */
		text[strlen(text) - 1] = '\0';
	for (char *c = text; *c; c++) {
		if ((unsigned char)*c < 0x20 ||
		    *c == 0x7f) /* names must not reach the terminal as commands */
			*c = '?';
	}
	note(text);
	if (hold.show)
		hold.show(hold.context, text);
	else
		print_line(text);
}

void message(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	message_list(format, args);
	va_end(args);
}

void message_once(const char *format, ...)
{
	static char said[MESSAGE_MAX_DIFFERENT][MAX_TEXT];
	static size_t n;
	char text[MAX_TEXT];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (size_t i = 0; i < n && i < MESSAGE_MAX_DIFFERENT; i++) {
		if (strcmp(said[i], text) == 0)
			return;
	}
	if (n > MESSAGE_MAX_DIFFERENT)
		return;
	if (n == MESSAGE_MAX_DIFFERENT) {
		message("more messages of this kind are left out");
	} else {
		strcpy(said[n], text);
		message("%s", text);
	}
	n++;
}
