/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves: of a .json file the last line that has its end is read; what is not such a report, of a later version, or out of bounds is refused
 * with a reason that names the part, and too large ones before they take memory. (That what is written is read again: output_writers_test.c.)
 */
#include "output/json_read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../test.h"
#include "output/view.h"

#define HEAD "{\"format\":\"memleak_dwunw report\",\"version\":1,"

static bool refuses(const char *text, const char *reason)
{
	char why[JSON_MAX_REASON] = "";
	struct view *view;
	int err = json_read(text, strlen(text), &view, why);

	if (!err)
		view_free(view);
	if (err != -EINVAL || !strstr(why, reason))
		fprintf(stderr, "%s: %d, '%s'\n", text, err, why);
	return err == -EINVAL && strstr(why, reason);
}

static void test_refused(void)
{
	CHECK(refuses("", "not JSON"));
	CHECK(refuses("{\"a\":", "not JSON"));
	CHECK(refuses("[]", "no report of memleak_dwunw_user"));
	CHECK(refuses("{\"format\":1}", "no report of memleak_dwunw_user"));
	CHECK(refuses("{\"format\":\"memleak_dwunw report\",\"version\":2}", "version 2"));
	CHECK(refuses(HEAD "\"bytes\":-1}", "bytes is not a number"));
	CHECK(refuses(HEAD "\"bytes\":1.5}", "bytes is not a number"));
	CHECK(refuses(HEAD "\"bytes\":99999999999999999999}", "not JSON: too big integer"));
	CHECK(refuses(HEAD "\"no_ages\":1}", "no_ages is neither"));
	CHECK(refuses(HEAD "\"walk\":null}", "walk is not a text"));
	CHECK(refuses(HEAD "\"walk\":\"\\\\q\"}", "walk has a backslash"));
	CHECK(refuses(HEAD "\"walk\":\"a\\u0000\"}", "not JSON"));
	CHECK(refuses(HEAD "\"stacks\":{}}", "stacks is not an array"));
	CHECK(refuses(HEAD "\"stacks\":[1]}", "stacks[0] is not an object"));
	CHECK(refuses(HEAD "\"stacks\":[{\"frames\":[0]}]}", "none of the 0"));
	CHECK(refuses(HEAD "\"stacks\":[{\"pid\":4294967296}]}", "pid is not a number"));
	CHECK(refuses(HEAD "\"frames\":[{\"module\":0}]}", "no module 0"));
	CHECK(refuses(HEAD "\"frames\":[{\"pc\":\"12\"}]}", "pc is not a hexadecimal"));
	CHECK(refuses(HEAD "\"frames\":[{\"pc\":\"0x12345678901234567\"}]}", "pc is not"));
	CHECK(refuses(HEAD "\"notes\":[{}]}", "a note is not a text"));
}

/* `n` times `part`. */
static char *many(const char *before, const char *part, size_t n, const char *after)
{
	size_t length = strlen(part);
	char *text = malloc(strlen(before) + n * length + strlen(after) + 1), *next = text;

	next = stpcpy(next, before);
	for (size_t i = 0; i < n; i++)
		next = stpcpy(next, part);
	strcpy(next, after);
	return text;
}

static void test_large(void)
{
	char *text = many(HEAD "\"stacks\":[{}", ",{}", JSON_MAX_PARTS, "]}");

	CHECK(refuses(text, "larger report"));
	free(text);
	text = many(HEAD "\"walk\":\"", "aaaaaaaaaaaaaaaa", JSON_MAX_LINE / 16, "\"}");
	CHECK(refuses(text, "larger report"));
	free(text);
	text = many(HEAD "\"frames\":[{}],\"stacks\":[{\"frames\":[0", ",0", JSON_MAX_FRAMES,
		    "]}]}");
	CHECK(refuses(text, "more than 8388608 frames"));
	free(text);
	text = many(HEAD "\"processes\":[{}", ",{}", JSON_MAX_PROCESSES, "]}");
	CHECK(refuses(text, "more than 256 processes"));
	free(text);
	text = many("", "[", 100000, "");
	CHECK(refuses(text, "not JSON"));
	free(text);
}

/* The bytes of the last report of a file that holds `text`; -1, and `why`: it is refused. */
static long last_of(const char *text, char why[JSON_MAX_REASON])
{
	char path[] = "/tmp/output_json_test.XXXXXX";
	int fd = mkstemp(path);
	struct view *view;
	long bytes = -1;

	if (fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) &&
	    !json_read_file(path, &view, why)) {
		bytes = (long)view->bytes;
		view_free(view);
	}
	close(fd);
	unlink(path);
	return bytes;
}

static void test_file(void)
{
	static const char one[] = HEAD "\"bytes\":1}\n", two[] = HEAD "\"bytes\":2}\n";
	char text[1000], why[JSON_MAX_REASON], *large;
	struct view *view;

	CHECK(last_of(one, why) == 1);
	snprintf(text, sizeof(text), "%s%s", one, two);
	CHECK(last_of(text, why) == 2);
	snprintf(text, sizeof(text), "%s%s%s", one, two, HEAD "\"bytes\":3"); /* being written */
	CHECK(last_of(text, why) == 2);
	snprintf(text, sizeof(text), "%s", HEAD "\"bytes\":4}"); /* without an end */
	CHECK(last_of(text, why) == 4);
	CHECK(last_of("", why) == -1 && strstr(why, "not JSON"));
	CHECK(last_of("\n\n", why) == -1 && strstr(why, "not JSON"));
	large = many(one, "aaaaaaaaaaaaaaaa", JSON_MAX_LINE / 16 + 1, "\n");
	CHECK(last_of(large, why) == -1 && strstr(why, "more than 64 MiB"));
	free(large);
	CHECK(json_read_file("/nowhere.json", &view, why) == -ENOENT && strstr(why, "No such"));
	CHECK(json_read_file("/dev/null", &view, why) == -EINVAL && strstr(why, "regular"));
	CHECK(json_read_file("/tmp", &view, why) == -EINVAL && strstr(why, "regular"));
}

int main(void)
{
	test_refused();
	test_large();
	test_file();
	return test_end();
}
