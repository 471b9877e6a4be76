/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves that code whose call frame information is in .debug_frame alone is unwound by it: in the file itself, plain and compressed in
 * each way, and in a separate debug file found by build ID or by debuglink; and that a debug file that is not this file's is not used.
 */
#include <dlfcn.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "../workdir.h"
#include "capture.h"

/* No frame pointer is kept, and what looks like one leads nowhere: without rules there is no way through. */
static const char source[] = "void through(void (*back)(void))\n"
			     "{\n"
			     "	volatile char room[300] = {0};\n"
			     "#ifdef __x86_64__\n"
			     "	register long rbp __asm__(\"rbp\") = 1;\n"
			     "	__asm__ volatile(\"\" : \"+r\"(rbp));\n"
			     "#endif\n"
			     "	back();\n"
			     "	room[0] = 1;\n"
			     "}\n";

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
	dwunw_forget_process(context, pid);
	end(pid);
	return result.stop == DWUNW_STOP_ROOT && has_levels(result.n_frames);
}

static void test_own_section(void)
{
	static const char *const forms[] = {"none", "zlib", "zlib-gnu", "zstd"};
	char name[32];
	int n = 0;

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		char command[256];

		snprintf(name, sizeof(name), "own-%s.so", forms[i]);
		snprintf(command, sizeof(command),
			 "objcopy --compress-debug-sections=%s full.so %s 2>objcopy.err", forms[i],
			 name);
		if (system(command)) /* a binutils that cannot do it */
			continue;
		CHECK(is_whole(name));
		n++;
	}
	CHECK(n >= 3);
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
