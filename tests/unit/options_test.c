/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves: each option of the command line ends up in its field, under its long and short name;
 * defaults are those of the specification; each wrong command line gives its exit status, exactly
 * one line of our own on stderr that names option and value, and leaves the result untouched; help
 * goes to stdout with status 0 and names each option.
 */
#include "options.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "words.h"

#include "../test.h"

static char error_text[4096]; /* what the last parse() wrote to stderr */

/* options_parse() over the words of `line`, with stderr caught. */
static int parse(const char *line, struct options *ret)
{
	static char **words; /* the result points into it */
	FILE *caught = tmpfile();
	char *command;
	int saved = dup(2), argc = 0, status;

	if (!caught || asprintf(&command, "/path/to/memleak_dwunw_user %s", line) < 0)
		exit(1);
	words_free(words);
	if (words_split(command, &words))
		exit(1);
	free(command);
	while (words[argc])
		argc++;
	fflush(stderr);
	dup2(fileno(caught), 2);
	status = options_parse(argc, words, ret);
	fflush(stderr);
	dup2(saved, 2);
	close(saved);
	rewind(caught);
	error_text[fread(error_text, 1, sizeof(error_text) - 1, caught)] = '\0';
	fclose(caught);
	return status;
}

static void test_defaults(void)
{
	struct options o = {.n_pids = 7};

	CHECK(parse("-p 12", &o) == 0);
	CHECK(error_text[0] == '\0');
	CHECK(o.n_pids == 1 && o.pids[0] == 12 && !o.command && !o.show_allocs &&
	      o.older_ms == 500);
	CHECK(o.top_stacks == 10 && o.min_size == 0 && o.max_size == UINT64_MAX);
	CHECK(!o.object && !o.verbose && o.mode == OPTIONS_MODE_FALLBACK);
	CHECK(o.max_stack_depth == 127 && o.stack_storage_size == 131072);
	CHECK(o.interval_s == 5 && o.n_intervals == 0);
	CHECK(!o.walk_in_user_space && o.slice_kib == 16 && o.share_percent == 2);
}

static void test_values(void)
{
	struct options o = {0};

	CHECK(parse("-p 34 -a -o 0 -T 3 -z 16 -Z 4096 -O /opt/lib/libx.so -v -W off 7 2", &o) == 0);
	CHECK(o.n_pids == 1 && o.pids[0] == 34 && o.show_allocs && o.older_ms == 0 &&
	      o.top_stacks == 3);
	CHECK(o.min_size == 16 && o.max_size == 4096 && !strcmp(o.object, "/opt/lib/libx.so"));
	CHECK(o.verbose && o.mode == OPTIONS_MODE_OFF && o.interval_s == 7 && o.n_intervals == 2);

	o = (struct options){0};
	CHECK(parse("1 --command='./a \"b c\"' --show-allocs --older=18446744073709 "
		    "--top=4294967295"
		    " --min-size=18446744073709551615 --max-size=18446744073709551615 --obj=x.so"
		    " --verbose --dwunw-mode=force --perf-max-stack-depth=1023"
		    " --stack-storage-size=16777216",
		    &o) == 0);
	CHECK(o.n_pids == 0 && !strcmp(o.command, "./a \"b c\"") && o.show_allocs);
	CHECK(o.older_ms == 18446744073709 && o.top_stacks == UINT32_MAX);
	CHECK(o.min_size == UINT64_MAX && o.max_size == UINT64_MAX && !strcmp(o.object, "x.so"));
	CHECK(o.verbose && o.mode == OPTIONS_MODE_FORCE && o.max_stack_depth == 1023);
	CHECK(o.stack_storage_size == 16777216 && o.interval_s == 1 && o.n_intervals == 0);

	CHECK(parse("--pid 5 --dwunw-mode fallback -z 8 -Z 8 --perf-max-stack-depth 1", &o) == 0);
	CHECK(o.pids[0] == 5 && o.mode == OPTIONS_MODE_FALLBACK && o.min_size == 8 &&
	      o.max_size == 8);
	CHECK(o.max_stack_depth == 1);
	/* arguments and options in any order; what is left of an argument behind -- */
	CHECK(parse("3 -p 2147483647 -- 9", &o) == 0);
	CHECK(o.pids[0] == 2147483647 && o.interval_s == 3 && o.n_intervals == 9);
}

static void test_walk(void)
{
	struct options o;

	CHECK(parse("-p 1 --dwunw-walk=user --dwunw-slice 64 --dwunw-share=100", &o) == 0);
	CHECK(o.walk_in_user_space && o.slice_kib == 64 && o.share_percent == 100);
	CHECK(parse("-p 1 --dwunw-walk kernel", &o) == 0 && !o.walk_in_user_space);
}

static void test_later_options(void)
{
	struct options o;

	CHECK(parse("-p 12", &o) == 0);
	CHECK(!o.comm && !o.cgroup && !strcmp(o.symbols_prefix, "") && !o.percpu &&
	      !o.missing_free);
	CHECK(!o.trace && !o.combined_only && o.sort == OPTIONS_SORT_SIZE && !o.show_details &&
	      !o.peak);
	CHECK(o.sample_rate == 1 && !o.sample_bytes && !o.max_overhead && o.max_blocks == 4 << 20 &&
	      !o.duration_s);
	CHECK(o.stop_when_leaked == UINT64_MAX && o.fail_above == UINT64_MAX);
	CHECK(parse("-p 1 -t -S je_ -s 3 --comm srv --sort growth --details "
		    "--peak "
		    "--max-overhead 7 --max-blocks 9 --duration 11 --stop-when-leaked 3M "
		    "--fail-above 12",
		    &o) == 0);
	CHECK(o.trace && !strcmp(o.symbols_prefix, "je_"));
	CHECK(o.sample_rate == 3 && !strcmp(o.comm, "srv"));
	CHECK(o.sort == OPTIONS_SORT_GROWTH && o.show_details && o.peak && o.max_overhead == 7);
	CHECK(o.max_blocks == 9 && o.duration_s == 11 && o.stop_when_leaked == 3 << 20 &&
	      o.fail_above == 12);
	CHECK(parse("-p 1 --sample-bytes=512K --fail-above 15G", &o) == 0);
	CHECK(o.sample_bytes == 512 << 10 && o.fail_above == 15ULL << 30);
	CHECK(parse("-p 1 -C --sample-bytes=1G", &o) == 1 && parse("-p 1 -C", &o) == 0 &&
	      o.combined_only);
	CHECK(parse("-p 1 --fail-above=17179869183G", &o) == 0);
	CHECK(parse("-p 1 --fail-above=0", &o) == 0 && o.fail_above == 0);
}

/* No process is named. What is set aside in advance is less there. */
static void test_kernel(void)
{
	struct options o;

	CHECK(parse("", &o) == 0 && o.kernel && !o.cgroup && !o.percpu && !o.missing_free);
	CHECK(o.max_blocks == 1 << 20 && o.stack_storage_size == 65536);
	CHECK(parse("-F -P --cgroup /c --max-blocks 4194304 --stack-storage-size 9 5 1", &o) == 0);
	CHECK(o.kernel && o.missing_free && o.percpu && !strcmp(o.cgroup, "/c"));
	CHECK(o.max_blocks == 4 << 20 && o.stack_storage_size == 9 && o.n_intervals == 1);
	CHECK(parse("-p 1", &o) == 0 && !o.kernel);
	CHECK(parse("-c x", &o) == 0 && !o.kernel);
	CHECK(parse("--comm x", &o) == 0 && !o.kernel);
}

static void test_names(void)
{
	struct options o;

	CHECK(parse("-p 1", &o) == 0);
	CHECK(!o.no_inlines && !o.no_lines && !o.no_demangle && !o.short_names &&
	      !o.n_source_prefixes && !o.debug_dir && !o.debuginfod);
	CHECK(parse("-p 1 --no-inlines --no-lines --no-demangle --short-names --source-prefix "
		    "/a=/b "
		    "--source-prefix=/c= --debug-dir /d --debuginfod 'http://x http://y'",
		    &o) == 0);
	CHECK(o.no_inlines && o.no_lines && o.no_demangle && o.short_names);
	CHECK(o.n_source_prefixes == 2 && !strcmp(o.source_prefixes[0], "/a=/b") &&
	      !strcmp(o.source_prefixes[1], "/c="));
	CHECK(!strcmp(o.debug_dir, "/d") && !strcmp(o.debuginfod, "http://x http://y"));
}

static void test_several_pids(void)
{
	struct options o;
	char line[1024] = "-p 1";

	CHECK(parse("-p 5,6 --pid 7 -p 6,5,8", &o) == 0);
	CHECK(o.n_pids == 4 && o.pids[0] == 5 && o.pids[1] == 6 && o.pids[2] == 7 &&
	      o.pids[3] == 8);
	for (int i = 2; i <= MEMLEAK_MAX_TARGETS; i++)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), ",%d", i);
	CHECK(parse(line, &o) == 0 && o.n_pids == MEMLEAK_MAX_TARGETS);
	strcat(line, ",1000");
	CHECK(parse(line, &o) == 64);
	CHECK(strstr(error_text, "--pid: more than 64 processes"));
}

struct refusal {
	const char *line;
	int status;
	const char *message; /* the whole line, without program name and newline */
};

static const struct refusal refusals[] = {
	{"-p 1 --cgroup /c", 1,
	 "--cgroup is for the kernel's allocations, not for those of a process"},
	{"--comm x --cgroup /c", 1,
	 "--cgroup is for the kernel's allocations, not for those of a process"},
	{"-p 1 -P", 1, "--percpu is for the kernel's allocations, not for those of a process"},
	{"-c x -F", 1,
	 "--wa-missing-free is for the kernel's allocations, not for those of a process"},
	{"--max-overhead 2", 1, "--max-overhead is for processes: give --pid or --command"},
	{"-O libc.so.6", 1, "--obj is for processes: give --pid or --command"},
	{"-S je_ --cgroup /c", 1, "--symbols-prefix is for processes: give --pid or --command"},
	{"-W fallback", 1, "--dwunw-mode is for processes: give --pid or --command"},
	{"-W off -P", 1, "--dwunw-mode is for processes: give --pid or --command"},
	{"--follow-forks", 1, "--follow-forks is for processes: give --pid or --command"},
	{"--cgroup ''", 64, "--cgroup: must not be empty"},
	{"-p 1 -c x", 1, "--pid and --command exclude each other"},
	{"-c x --pid=1", 1, "--pid and --command exclude each other"},
	{"--comm x -c y", 1, "--comm and --command exclude each other"},
	{"-p 1 -C --sort=age", 1, "--combined-only knows no ages: --sort=age cannot be had"},
	{"-p 1 -z 9 -Z 8", 1, "--min-size 9 is larger than --max-size 8"},
	{"-p 0", 64, "--pid: 0 is not in the range 1 to 2147483647"},
	{"-p 2147483648", 64, "--pid: 2147483648 is not in the range 1 to 2147483647"},
	{"-p -1", 64, "--pid: '-1' is not a number"},
	{"-p +1", 64, "--pid: '+1' is not a number"},
	{"-p ' 1'", 64, "--pid: ' 1' is not a number"},
	{"-p 1x", 64, "--pid: '1x' is not a number"},
	{"-p 0x10", 64, "--pid: '0x10' is not a number"},
	{"-p ''", 64, "--pid: '' is not a number"},
	{"-p 1,", 64, "--pid: '' is not a number"},
	{"-p ,1", 64, "--pid: '' is not a number"},
	{"-p 1,,2", 64, "--pid: '' is not a number"},
	{"-p 1,x", 64, "--pid: 'x' is not a number"},
	{"-p self", 64, "--pid: 'self' is not a number"},
	{"-c ''", 64, "--command: must not be empty"},
	{"-c '  '", 64, "--command: must not be empty"},
	{"-c \"a 'b\"", 64, "--command: a quote or backslash in 'a 'b' has no end"},
	{"-c 'a \\'", 64, "--command: a quote or backslash in 'a \\' has no end"},
	{"-c '\\\n'", 64, "--command: a quote or backslash in '\\\n' has no end"},
	{"-p 1 -O ''", 64, "--obj: must not be empty"},
	{"-p 1 -o 1.5", 64, "--older: '1.5' is not a number"},
	{"-p 1 -o 18446744073710", 64,
	 "--older: 18446744073710 is not in the range 0 to 18446744073709"},
	{"-p 1 -T 0", 64, "--top: 0 is not in the range 1 to 4294967295"},
	{"-p 1 -T 4294967296", 64, "--top: 4294967296 is not in the range 1 to 4294967295"},
	{"-p 1 -T many", 64, "--top: 'many' is not a number"},
	{"-p 1 -z -1", 64, "--min-size: '-1' is not a number"},
	{"-p 1 -Z 18446744073709551616", 64,
	 "--max-size: 18446744073709551616 is not in the range 0 to 18446744073709551615"},
	{"-p 1 -Z 4K", 64, "--max-size: '4K' is not a number"},
	{"-p 1 --dwunw-walk=both", 64, "--dwunw-walk: 'both' is not one of kernel, user"},
	{"-p 1 --dwunw-slice=65", 64, "--dwunw-slice: 65 is not in the range 1 to 64"},
	{"-p 1 --dwunw-share=0", 64, "--dwunw-share: 0 is not in the range 1 to 100"},
	{"-p 1 -W on", 64, "--dwunw-mode: 'on' is not one of off, fallback, force"},
	{"-p 1 -W ''", 64, "--dwunw-mode: '' is not one of off, fallback, force"},
	{"-p 1 --perf-max-stack-depth=0", 64,
	 "--perf-max-stack-depth: 0 is not in the range 1 to 1023"},
	{"-p 1 --perf-max-stack-depth=1024", 64,
	 "--perf-max-stack-depth: 1024 is not in the range 1 to 1023"},
	{"-p 1 --stack-storage-size=0", 64,
	 "--stack-storage-size: 0 is not in the range 1 to 16777216"},
	{"-p 1 --stack-storage-size=16777217", 64,
	 "--stack-storage-size: 16777217 is not in the range 1 to 16777216"},
	{"-p 1 -s 2 --sample-bytes 4", 1, "--sample-rate and --sample-bytes exclude each other"},
	{"-p 1 -C -s 2", 1, "--combined-only and sampling exclude each other"},
	{"-p 1 -C --max-overhead 2", 1, "--combined-only and sampling exclude each other"},
	{"-p 1 --sample-bytes 1025M", 64, "--sample-bytes: more than 1G"},
	{"-p 1 --source-prefix /a", 64, "--source-prefix: '/a' is not OLD=NEW"},
	{"-p 1 --source-prefix =b", 64, "--source-prefix: '=b' is not OLD=NEW"},
	{"-p 1 --debug-dir ''", 64, "--debug-dir: must not be empty"},
	{"-p 1 -s 0", 64, "--sample-rate: 0 is not in the range 1 to 4294967295"},
	{"-p 1 -S ''", 64, "--symbols-prefix: must not be empty"},
	{"-p 1 --sort name", 64, "--sort: 'name' is not one of size, count, age, growth"},
	{"-p 1 --sample-bytes K", 64, "--sample-bytes: '' is not a number"},
	{"-p 1 --sample-bytes 1T", 64, "--sample-bytes: '1T' is not a number of bytes"},
	{"-p 1 --sample-bytes 1KK", 64, "--sample-bytes: '1KK' is not a number of bytes"},
	{"-p 1 --sample-bytes -1", 64, "--sample-bytes: '-1' is not a number of bytes"},
	{"-p 1 --sample-bytes 17179869184G", 64,
	 "--sample-bytes: 17179869184 is not in the range 1 to 17179869183"},
	{"-p 1 --max-overhead 101", 64, "--max-overhead: 101 is not in the range 1 to 100"},
	{"-p 1 --max-blocks 0", 64, "--max-blocks: 0 is not in the range 1 to 1073741824"},
	{"-p 1 --duration 0", 64, "--duration: 0 is not in the range 1 to 2147483"},
	{"-p 1 0", 64, "INTERVAL: 0 is not in the range 1 to 2147483"},
	{"-p 1 2147484", 64, "INTERVAL: 2147484 is not in the range 1 to 2147483"},
	{"-p 1 five", 64, "INTERVAL: 'five' is not a number"},
	{"-p 1 5 0", 64, "INTERVALS: 0 is not in the range 1 to 4294967295"},
	{"-p 1 5 1 2", 64, "unexpected argument '2'"},
};

static void test_refusals(void)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct options o, before;
		char expected[512];
		int status;

		memset(&o, 0x5a, sizeof(o));
		before = o;
		status = parse(refusals[i].line, &o);
		snprintf(expected, sizeof(expected), "memleak_dwunw_user: %s\n",
			 refusals[i].message);
		if (status != refusals[i].status || strcmp(error_text, expected))
			fprintf(stderr, "'%s': %d: %s", refusals[i].line, status, error_text);
		CHECK(status == refusals[i].status);
		CHECK(!strcmp(error_text, expected));
		CHECK(!memcmp(&o, &before, sizeof(o)));
	}
}

/* What getopt itself refuses: unknown, ambiguous, without argument. */
static void test_unknown(void)
{
	static const char *const lines[] = {
		"-p",		"--pid", "-p 1 --nope", "-p 1 --s=4",
		"-p 1 -a=3 -q", "--a=3", "-p 1 -T",	"-p 1 --sort",
	};
	struct options o;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		CHECK(parse(lines[i], &o) == 64);
		CHECK(strstr(error_text, "option"));
		CHECK(strstr(error_text, "--help"));
	}
}

/* Those that end the program, in a child; what it writes to stdout. */
static int answered(const char *line, char *out, size_t size)
{
	FILE *caught = tmpfile();
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		struct options o;

		dup2(fileno(caught), 1);
		parse(line, &o);
		_exit(99); /* it returned */
	}
	waitpid(pid, &status, 0);
	rewind(caught);
	out[fread(out, 1, size - 1, caught)] = '\0';
	fclose(caught);
	return WEXITSTATUS(status);
}

static void test_help(void)
{
	static const char *const names[] = {
		"--pid",	 "--command",  "--obj",
		"--show-allocs", "--older",    "--top",
		"--min-size",	 "--max-size", "--dwunw-mode",
		"--verbose",	 "--usage",    "--perf-max-stack-depth",
		"--version",	 "--help",     "--stack-storage-size",
	};
	static const char *const defaults[] = {"(default: 5)", "500)",	      "found in the",
					       "127)",	       "131072)",     "fallback)",
					       "no limit)",    "(default: 0)"};
	char help[16384], again[16384];

	CHECK(answered("--help", help, sizeof(help)) == 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		CHECK(strstr(help, names[i]));
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
		CHECK(strstr(help, defaults[i]));
	CHECK(answered("-h", again, sizeof(again)) == 0 && !strcmp(help, again));
	CHECK(answered("-'?'", again, sizeof(again)) == 0 && !strcmp(help, again));
	/* asked for help, nothing else matters */
	CHECK(answered("-p 1 -c x --help", again, sizeof(again)) == 0 && !strcmp(help, again));
	CHECK(answered("--usage", again, sizeof(again)) == 0);
	CHECK(!strncmp(again, "Usage: memleak_dwunw_user [", 27));
	CHECK(answered("-V", again, sizeof(again)) == 0);
	CHECK(!strncmp(again, "memleak_dwunw_user ", 19) && strchr(again, '\n')[1] == '\0');
}

int main(void)
{
	unsetenv("ARGP_HELP_FMT");
	unsetenv("POSIXLY_CORRECT");
	setenv("LC_ALL", "C", 1);
	test_defaults();
	test_values();
	test_walk();
	test_later_options();
	test_kernel();
	test_names();
	test_several_pids();
	test_refusals();
	test_unknown();
	test_help();
	return test_end();
}
