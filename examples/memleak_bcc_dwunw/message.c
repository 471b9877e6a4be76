/* SPDX-License-Identifier: BSD-2-Clause */
#include "message.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Longer texts are cut: the names in them are the target's. */
#define MAX_TEXT 1024

static void print(const char *format, va_list args)
{
	char text[MAX_TEXT];

	vsnprintf(text, sizeof(text), format, args);
	for (char *c = text; *c; c++) {
		if ((unsigned char)*c < 0x20 ||
		    *c == 0x7f) /* names must not reach the terminal as commands */
			*c = '?';
	}
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
