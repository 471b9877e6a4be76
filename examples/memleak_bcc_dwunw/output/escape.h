/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names as text that every format takes, and that can be turned back: what names.h prints, with each backslash doubled. So the result is
 * UTF-8 without control characters, and different names stay different.
 */
#ifndef OUTPUT_ESCAPE_H
#define OUTPUT_ESCAPE_H

/* Characters of `also` (ASCII) become \xNN as well. To be freed; NULL: no memory. */
char *escape_name(const char *name, const char *also);

/* The name; -EINVAL: a backslash that nothing of the above was, or \x00. To be freed. */
int unescape_name(const char *text, char **ret);

#endif
