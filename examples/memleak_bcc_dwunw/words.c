/* SPDX-License-Identifier: BSD-2-Clause */
#include "words.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/*
 * Takes the character behind a backslash: none where the two are a continued line. False at the end
 * of the text.
 */
static bool take_escaped(const char **text, char **out, bool quoted)
{
	char c = **text;

	if (c == '\0')
		return false;
	(*text)++;
	if (c == '\n')
		return true;
	if (quoted && !strchr("$`\"\\", c))
		*(*out)++ = '\\';
	*(*out)++ = c;
	return true;
}

/*
 * Copies what stands between quotes; *text is behind the first. False where the second is missing.
 */
static bool take_quoted(const char **text, char **out, char quote)
{
	while (**text && **text != quote) {
		char c = *(*text)++;

		if (c == '\\' && quote == '"') {
			if (!take_escaped(text, out, true))
				return false;
			continue;
		}
		*(*out)++ = c;
	}
	return *(*text)++ == quote;
}

static bool take_word(const char **text, char **out)
{
	while (**text && !is_blank(**text)) {
		char c = *(*text)++;
		bool ok = true;

		if (c == '\'' || c == '"')
			ok = take_quoted(text, out, c);
		else if (c == '\\')
			ok = take_escaped(text, out, false);
		else
			*(*out)++ = c;
		if (!ok)
			return false;
	}
	*(*out)++ = '\0';
	return true;
}

/* A continued line between words is no word. */
static void skip_blanks(const char **text)
{
	while (is_blank(**text) || ((*text)[0] == '\\' && (*text)[1] == '\n'))
		*text += **text == '\\' ? 2 : 1;
}

int words_split(const char *text, char ***ret)
{
	/*
	 * No word is longer than its text, and each takes two characters of it, the blank included.
	 */
	size_t length = strlen(text), n = 0;
	char **words = calloc(length / 2 + 2, sizeof(*words));
	char *out = malloc(length + 2);

	if (!words || !out) {
		free(words);
		free(out);
		return -ENOMEM;
	}
	words[0] = out;
	for (skip_blanks(&text); *text; skip_blanks(&text)) {
		words[n++] = out;
		if (!take_word(&text, &out)) {
			n = 0;
			break;
		}
	}
	if (n == 0) {
		free(words[0]);
		free(words);
		return -EINVAL;
	}
	*ret = words;
	return 0;
}

void words_free(char **words)
{
	if (!words)
		return;
	free(words[0]); /* all words lie in one piece of memory */
	free(words);
}
