/* SPDX-License-Identifier: BSD-2-Clause */
#include "message.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Longer texts are cut: the names in them are the target's. */
#define MAX_TEXT 1024

static char notes[MESSAGE_MAX_NOTES][MAX_TEXT];
static size_t n_notes;

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

	while (i < n_notes && !say_the_same(notes[i], text))
		i++;
	if (i == MESSAGE_MAX_NOTES) { /* the oldest goes */
		memmove(notes, notes + 1, sizeof(notes) - sizeof(notes[0]));
		i--;
	}
	strcpy(notes[i], text);
	if (i == n_notes)
		n_notes++;
}

size_t message_notes(const char *ret[MESSAGE_MAX_NOTES])
{
	for (size_t i = 0; i < n_notes; i++)
		ret[i] = notes[i];
	return n_notes;
}

static void print(const char *format, va_list args)
{
	char text[MAX_TEXT];

	vsnprintf(text, sizeof(text), format, args);
	for (char *c = text; *c; c++) {
		if ((unsigned char)*c < 0x20 ||
		    *c == 0x7f) /* names must not reach the terminal as commands */
			*c = '?';
	}
	note(text);
	fprintf(stderr, "memleak_dwunw_user: %s\n", text);
}

void message(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(format, args);
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
