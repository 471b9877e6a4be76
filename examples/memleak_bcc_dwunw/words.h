/* SPDX-License-Identifier: BSD-2-Clause */
/* A command line in one string -> its words. */
#ifndef WORDS_H
#define WORDS_H

/*
 * Splits as a POSIX shell does (XCU 2.2): blanks separate words; '...' is literal; in "..." a
 * backslash quotes $ ` " \ and newline; elsewhere it quotes any character. Nothing is expanded: $,
 * *, ~, |, > and the like are characters as any other. *ret is an argv, to be given to
 * words_free(). -EINVAL: no word at all, a quote that does not end, or a backslash at the end.
 */
int words_split(const char *text, char ***ret);
void words_free(char **words);

#endif
