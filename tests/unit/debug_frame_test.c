/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves that code whose call frame information is in .debug_frame alone is unwound by it: in the file itself, plain and compressed in
 * each way, and in a separate debug file found by build ID or by debuglink; and that a debug file that is not this file's is not used.
 */
#include <dlfcn.h>
#include <elfutils/version.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "../workdir.h"
#include "capture.h"

/* No frame pointer is kept, and what looks like one leads nowhere: without rules there is no way through. */
static const char source[] =
	"void through(void (*back)(void))\n"
	"{\n"
	"	volatile char room[300] = {0};\n"
	"#ifdef __x86_64__\n"
	"	register long rbp __asm__(\"rbp\") = 1;\n"
	"	__asm__ volatile(\"\" : \"+r\"(rbp));\n"
	"#endif\n"
	"	back();\n"
	"	room[0] = 1;\n"
	"}\n"
	/* others, so that compressing is worth while */
	"#define F(n) int f##n(int a) { volatile int b[n + 1]; return b[0] = a; }\n"
	"#define F10(n) F(n##0) F(n##1) F(n##2) F(n##3) F(n##4) F(n##5) F(n##6)\n"
	"F10(1) F10(2) F10(3) F10(4) F10(5) F10(6) F10(7) F10(8) F10(9)\n";

static char library[PATH_MAX];

static void call_through_library(void)
{
	void *handle = dlopen(library, RTLD_NOW);
	void (*through)(void (*)(void)) =
		handle ? (void (*)(void (*)(void)))dlsym(handle, "through") : NULL;

	if (!through)
		_exit(99);
	through(sleep_long);
}

static void call_deep(void)
{
	innermost = call_through_library;
	level_1();
}

/* Whether the stack through the library `name` of the work directory is whole. */
static bool is_whole(const char *name)
{
	struct dwunw_unwind_result result = {0};
	bool through = false;
	pid_t pid;

	snprintf(library, sizeof(library), "%s/%s", workdir, name);
	pid = start(call_deep, 1);
	CHECK(capture(pid, 0, &result) == 0);
	for (size_t i = 0; i < result.n_frames; i++)
		through |= frames[i].module && strstr(frames[i].module, name);
	CHECK(through);
	end(pid);
	/* which remembers files, and what was known of them */
	dwunw_context_destroy(context);
	CHECK(dwunw_context_create(NULL, &context) == 0);
	return result.stop == DWUNW_STOP_ROOT && has_levels(result.n_frames);
}

static void test_own_section(void)
{
	static const struct {
		const char *form, *section; /* as readelf shows it */
	} forms[] = {
		{"none", " .debug_frame .* 00  *0 "},
		{"zlib", " .debug_frame .* 00  *C "},
		{"zlib-gnu", " .zdebug_frame "},
		{"zstd", " .debug_frame .* 00  *C "},
	};
	/* binutils and libelf learned of zstd one after the other */
	size_t n = sizeof(forms) / sizeof(forms[0]) - !_ELFUTILS_PREREQ(0, 189);
	char name[32];

	for (size_t i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "own-%s.so", forms[i].form);
		run("objcopy --compress-debug-sections=%s full.so %s", forms[i].form, name);
		run("readelf -SW %s | grep -q '%s'", name, forms[i].section);
		CHECK(is_whole(name));
	}
}

static void test_debuglink(void)
{
	run("strip -o alone.so full.so");
	CHECK(!is_whole("alone.so"));
	run("objcopy --only-keep-debug full.so linked.debug");
	run("objcopy --add-gnu-debuglink=linked.debug alone.so linked.so");
	CHECK(is_whole("linked.so"));
	run("mkdir .debug; mv linked.debug .debug");
	CHECK(is_whole("linked.so"));
	/* of that name, but with another checksum */
	run("echo >>.debug/linked.debug");
	CHECK(!is_whole("linked.so"));
	/* that somebody else may write */
	run("objcopy --only-keep-debug full.so linked.debug; chmod 666 linked.debug");
	CHECK(!is_whole("linked.so"));
	run("chmod 600 linked.debug");
	CHECK(is_whole("linked.so"));
	/* a link that is too short, and one without an end */
	run("printf abcdefg >cut; objcopy --remove-section .gnu_debuglink --add-section "
	    ".gnu_debuglink=cut linked.so cut.so");
	CHECK(!is_whole("cut.so"));
}

/* In a namespace where /usr/lib/debug is ours; the exit status of the child is the number of failures. */
static void in_namespace(void)
{
	int before = test_failed;

	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/usr/lib/debug", "tmpfs", 0, NULL))
		_exit(77);
	run("strip -o known.so with-id.so; strip -o other.so other-id.so");
	CHECK(!is_whole("known.so"));
	run("mkdir -p /usr/lib/debug/.build-id/12");
	run("objcopy --only-keep-debug with-id.so /usr/lib/debug/.build-id/12/345678.debug");
	CHECK(is_whole("known.so"));
	/* filed under the wrong ID */
	run("mkdir -p /usr/lib/debug/.build-id/ab");
	run("cp /usr/lib/debug/.build-id/12/345678.debug /usr/lib/debug/.build-id/ab/cdef.debug");
	CHECK(!is_whole("other.so"));
	_exit(test_failed - before);
}

static void test_build_id(void)
{
	int status;
	pid_t pid;

	if (getuid() != 0 || access("/usr/lib/debug", F_OK))
		return;
	pid = fork();
	if (pid == 0)
		in_namespace();
	status = wait_exit(pid);
	CHECK(status == 0 || status == 77);
}

int main(void)
{
	static const char cc[] = "cc -O2 -g -fPIC -shared -nostdlib -fomit-frame-pointer "
				 "-fno-asynchronous-unwind-tables "
				 "-fno-exceptions -Wl,--no-ld-generated-unwind-info -o %s "
				 "-Wl,--build-id=%s source.c";

	setup();
	workdir_enter();
	write_text("source.c", source);
	run(cc, "full.so", "none");
	run(cc, "with-id.so", "0x12345678");
	run(cc, "other-id.so", "0xabcdef");
	test_own_section();
	test_debuglink();
	test_build_id();
	workdir_leave();
	dwunw_context_destroy(context);
	return test_end();
}
