/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SYMBOLIZE_SHORT_NAME_H
#define SYMBOLIZE_SHORT_NAME_H

/*
 * A demangled name of more than 80 characters without what stands in its angle brackets and round parentheses, followed by '#' and
 * 8 digits that stand for the whole name: two functions that differ in these only keep different names, in every run the same.
 * Others as they are. free() it; NULL: no memory.
 */
char *short_name(const char *name);

/* Names of any length without these, and without the number: "f<..>(..)". free() it; NULL: no memory. */
char *brief_name(const char *name);

#endif
