/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves: the end of a file's name says what is in it; each report replaces the file, but in .json files one follows the other, and the first
 * replaces what an earlier run left; with %t there is a file for each; one that cannot be written does not keep the others from it; what is wrong
 * with names and with --diff is said before the first report; an earlier report is compared with.
 */
#include "output/output.h"

#include <errno.h>
#include <glob.h>
#include <sys/resource.h>
#include <signal.h>
#include <unistd.h>

#include "../test.h"
#include "message.h"
#include "output/json_read.h"
#include "views.h"

static size_t count(const char *path, char wanted)
{
	FILE *file = fopen(path, "r");
	size_t n = 0;
	int c;

	if (!file)
		return 999;
	while ((c = getc(file)) != EOF)
		n += c == wanted;
	fclose(file);
	return n;
}

static size_t n_matching(const char *pattern)
{
	glob_t found;
	size_t n = glob(pattern, 0, NULL, &found) ? 0 : found.gl_pathc;

	if (n)
		globfree(&found);
	return n;
}

static void test_kinds(void)
{
	enum output_kind kind;

	CHECK(!output_kind("a.txt", &kind) && kind == OUTPUT_TXT);
	CHECK(!output_kind("/b/a%t.json", &kind) && kind == OUTPUT_JSON);
	CHECK(!output_kind("a.json.folded", &kind) && kind == OUTPUT_FOLDED);
	CHECK(!output_kind("a.pb.gz", &kind) && kind == OUTPUT_PPROF);
	CHECK(output_kind("a.gz", &kind) == -EINVAL && output_kind("a.JSON", &kind) == -EINVAL);
	CHECK(output_kind(".json", &kind) == -EINVAL && output_kind("", &kind) == -EINVAL);
}

static void test_reports(const struct view *view)
{
	static const char *const paths[] = {"a.txt",   "a.json",   "a.folded",
					    "a.pb.gz", "t%t.json", "t%t.folded"};
	const struct outputs_options options = {.paths = paths, .n_paths = 6};
	struct outputs *outputs;

	for (int run = 0; run < 2; run++) {
		CHECK(!outputs_create(&options, &outputs));
		CHECK(run || n_matching("*") == 0);	/* the trial leaves nothing */
		CHECK(!outputs_compare(outputs, NULL)); /* with nothing */
		for (size_t i = 1; i <= 3; i++) {
			CHECK(!outputs_write(outputs, view, "one\ntwo\n"));
			CHECK(count("a.json", '\n') == i);
		}
		CHECK(count("a.txt", '\n') == 2 && count("a.folded", '\n') == 3);
		outputs_destroy(outputs);
	}
	CHECK(n_matching("t*.json") == 3 && n_matching("t20231114T221320Z-2.folded") == 1);
	CHECK(count("t20231114T221320Z.json", '\n') == 1);
}

static void test_diff(void)
{
	static const char *const paths[] = {"a.json"};
	const struct outputs_options options = {.paths = paths, .n_paths = 1, .diff = "a.json"};
	struct outputs *outputs = NULL;
	char why[JSON_MAX_REASON];
	struct view *view;

	CHECK(!json_read_file("a.json", &view, why));
	CHECK(!outputs_create(&options, &outputs)); /* before the first report is in its place */
	CHECK(!outputs_write(outputs, view, "") && count("a.json", '\n') == 1);
	CHECK(!outputs_compare(outputs, view));
	CHECK(view->compared && view->stacks[0].before_bytes == view->stacks[0].bytes);
	CHECK(view->n_stacks == 3 && view->before_bytes == 1025);
	outputs_destroy(outputs);
	view_free(view);
}

/* Whether that is said, and nothing comes of it. */
static bool refused(const char *path, const char *diff, const char *said)
{
	const struct outputs_options options = {.paths = &path, .n_paths = 1, .diff = diff};
	const char *notes[MESSAGE_MAX_NOTES];
	struct outputs *outputs = NULL;
	int err = outputs_create(&options, &outputs);
	size_t n = message_notes(notes);

	return err < 0 && !outputs && n && strstr(notes[n - 1], said);
}

static bool refused_twice(const char *path, const char *said)
{
	const char *const paths[] = {path, "c.json", path};
	const struct outputs_options options = {.paths = paths, .n_paths = 3};
	const char *notes[MESSAGE_MAX_NOTES];
	struct outputs *outputs = NULL;
	int err = outputs_create(&options, &outputs);
	size_t n = message_notes(notes);

	return err == -EINVAL && n && strstr(notes[n - 1], said);
}

static void test_refused(void)
{
	CHECK(refused("no/a.json", NULL, "cannot write no/a.json: No such file or directory"));
	CHECK(refused("%t/a.json", NULL, "cannot write %t/a.json: No such file"));
	CHECK(refused_twice("b.json", "--output b.json: given twice"));
	CHECK(refused("a.json", "no.json", "--diff no.json: No such file or directory"));
	CHECK(refused("a.json", "a.folded", "--diff a.folded: not JSON"));
}

/* The large one is not; what it held stays. */
static void test_full(const struct view *view)
{
	static const char *const paths[] = {"a.json", "b.folded", "a.txt"};
	const struct rlimit small = {9000, RLIM_INFINITY}, all = {RLIM_INFINITY, RLIM_INFINITY};
	const struct outputs_options options = {.paths = paths, .n_paths = 3};
	struct outputs *outputs;

	CHECK(!outputs_create(&options, &outputs));
	CHECK(!outputs_write(outputs, view, "old\n"));
	setrlimit(RLIMIT_FSIZE, &small);
	CHECK(outputs_write(outputs, view, "new report\n") == -EFBIG);
	setrlimit(RLIMIT_FSIZE, &all);
	CHECK(count("a.json", '\n') == 1 && count("b.folded", '\n') == 3);
	CHECK(count("a.txt", 'r') == 2);
	CHECK(!outputs_write(outputs, view, "") && count("a.json", '\n') == 2);
	outputs_destroy(outputs);
}

int main(void)
{
	static struct hostile_view v;
	char dir[] = "/tmp/output_test.XXXXXX", remove[64];

	if (!mkdtemp(dir) || chdir(dir)) {
		perror(dir);
		return 1;
	}
	signal(SIGXFSZ, SIG_IGN);
	test_kinds();
	test_reports(hostile_view(&v));
	test_full(hostile_view(&v));
	test_diff();
	test_refused();
	snprintf(remove, sizeof(remove), "rm -r %s", dir);
	CHECK(!chdir("/") && !system(remove));
	return test_end();
}
