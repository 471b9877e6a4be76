/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages to the user: one line each on stderr. Control characters in names appear as '?'. One thread at a time. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#define MESSAGE_MAX_DIFFERENT 64
#define MESSAGE_MAX_NOTES 64

/* Prints `memleak_dwunw_user: ...` with a newline. */
void message(const char *format, ...) __attribute__((format(printf, 1, 2)));

void message_list(const char *format, va_list args);

/*
 * The same, but each text once; of different texts at most MESSAGE_MAX_DIFFERENT, then one line that says that there are more. For what can
 * happen for every file or every stack.
 */
void message_once(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * What was said so far, oldest first; of texts that are equal but for numbers the last, and of more than fit the last ones. Valid until the
 * next message. Returns how many.
 */
size_t message_notes(const char *ret[MESSAGE_MAX_NOTES]);

/*
 * From now on messages are not printed but shown by `show`, until message_release() prints them: of those that are equal but for numbers
 * the last, at most MESSAGE_MAX_NOTES, and how many that leaves out.
 */
typedef void message_show(void *context, const char *text);
void message_hold(message_show *show, void *context);
void message_release(void);
bool message_is_held(void);

#endif
