/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves: the words of a command line are those that /bin/sh makes of it, except that nothing is
 * expanded; what a shell would not accept is refused; no text, however odd, is read or written past
 * its end.
 */
#include "words.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../test.h"

/* The words in brackets, as sh prints them. */
static bool same_as_shell(const char *command)
{
	char ours[1024] = "", theirs[1024], *script;
	char **words;
	FILE *sh;

	if (words_split(command, &words))
		return false;
	for (size_t i = 0; words[i]; i++) {
		strcat(ours, "[");
		strcat(ours, words[i]);
		strcat(ours, "]");
	}
	words_free(words);
	if (asprintf(&script, "printf '[%%s]' %s", command) < 0)
		return false;
	sh = popen(script, "r");
	theirs[fread(theirs, 1, sizeof(theirs) - 1, sh)] = '\0';
	pclose(sh);
	free(script);
	if (strcmp(ours, theirs))
		fprintf(stderr, "%s\n\tours   %s\n\ttheirs %s\n", command, ours, theirs);
	return strcmp(ours, theirs) == 0;
}

static void test_words(void)
{
	static const char *const commands[] = {
		"a",
		"  a \t b  ",
		"a 'b c' \"d e\" f\\ g",
		"a'b'\"c\"\\d",
		"'' \"\" a",
		"a ''",
		"'a\\b' \"a\\b\" a\\b",
		"\"\\$x \\` \\\" \\\\ \\n\"",
		"'\"' \"'\" \\' \\\"",
		"a \\\n b",
		"a\\\nb \"c\\\nd\" 'e\\\nf'",
		"--x='1 2' --y=\"3  4\"",
		"\\a\\\\b",
	};
	static const char *const wrong[] = {"",		 "  \t\n", "a 'b", "a \"b",
					    "a \"b\\\"", "a \\",   "\\"};
	char **words;

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		CHECK(same_as_shell(commands[i]));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		CHECK(words_split(wrong[i], &words) == -EINVAL);
	CHECK(words_split("a\nb", &words) == 0 && !strcmp(words[1], "b") && !words[2]);
	words_free(words);
	/* no expansion */
	if (words_split("$HOME * ~ a|b >c `d` #e", &words)) {
		CHECK(false);
		return;
	}
	CHECK(!strcmp(words[0], "$HOME") && !strcmp(words[1], "*") && !strcmp(words[2], "~"));
	CHECK(!strcmp(words[3], "a|b") && !strcmp(words[4], ">c") && !strcmp(words[5], "`d`"));
	CHECK(!strcmp(words[6], "#e") && !words[7]);
	words_free(words);
}

/*
 * Words of random characters: an exact copy of the text, so that the address sanitizer sees a read
 * past its end.
 */
static void test_random(void)
{
	static const char alphabet[] = " \t\n\\\"'ab$";
	unsigned int seed = 1;

	for (int round = 0; round < 100000; round++) {
		size_t size = rand_r(&seed) % 12, n = 0, total = 0;
		char *text = malloc(size + 1), **words;

		for (size_t i = 0; i < size; i++)
			text[i] = alphabet[rand_r(&seed) % (sizeof(alphabet) - 1)];
		text[size] = '\0';
		if (words_split(text, &words) == 0) {
			for (; words[n]; n++)
				total += strlen(words[n]);
			if (n == 0 || total > size)
				CHECK(false);
			words_free(words);
		}
		free(text);
	}
	words_free(NULL);
}

int main(void)
{
	test_words();
	test_random();
	return test_end();
}
