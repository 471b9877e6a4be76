/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages to the user: one line each on stderr. */
#ifndef MESSAGE_H
#define MESSAGE_H

/* Prints `memleak_dwunw_user: ...` with a newline. */
void message(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
