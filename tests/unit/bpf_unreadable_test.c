/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves: a process with a file that may not be read is added, and dwunw_bpf_get_stats() says that there is one, and why; it does not where all
 * can be read, and no more when the process has been removed. Needs root and eBPF, else it is left out.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/libbpf.h>
#include <dwunw/dwunw.h>

#include "../test.h"

enum { NOBODY = 65534 };

static char build[PATH_MAX];

/* A copy of a program that runs for all and is read by its owner alone. */
static int copy_program(const char *name, const char *to)
{
	char path[PATH_MAX + 64];
	struct stat st;
	int in, out, err = -1;

	snprintf(path, sizeof(path), "%s/tests/programs/%s", build, name);
	in = open(path, O_RDONLY);
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0711);
	if (in >= 0 && out >= 0 && fstat(in, &st) == 0 &&
	    sendfile(out, in, NULL, (size_t)st.st_size) == st.st_size)
		err = fchmod(out, 0711);
	close(in);
	close(out);
	return err;
}

/* Up to its line `ready`; it ends when *input is closed. */
static pid_t start_program(const char *path, int *input)
{
	int in[2], out[2];
	char byte = 0;
	pid_t pid;

	if (pipe(in) || pipe(out))
		return -1;
	pid = fork();
	if (pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[1]);
		execl(path, path, NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	while (read(out[0], &byte, 1) == 1 && byte != '\n')
		;
	*input = in[1];
	return byte == '\n' ? pid : -1;
}

static bool set_effective(uint64_t capabilities)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data))
		return false;
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		data[i].effective = (uint32_t)(capabilities >> 32 * i);
	return syscall(SYS_capset, &header, data) == 0;
}

/* Until seteuid(0). */
static bool become_nobody(uint64_t capabilities)
{
	return setegid(NOBODY) == 0 && seteuid(NOBODY) == 0 && set_effective(capabilities);
}

static bool become_root(void)
{
	return seteuid(0) == 0 && setegid(0) == 0;
}

static void test_as_nobody(struct dwunw_context *context, struct bpf_object *object, pid_t pid)
{
	const uint64_t bpf_only = 1ULL << CAP_BPF | 1ULL << CAP_PERFMON;
	struct dwunw_bpf_stats stats;
	struct dwunw_bpf *bpf;
	int err;

	CHECK(become_nobody(bpf_only | 1ULL << CAP_SYS_PTRACE));
	CHECK(dwunw_bpf_create(context, object, &bpf) == 0);
	dwunw_bpf_get_stats(bpf, &stats);
	CHECK(stats.unreadable == 0 && stats.unreadable_error == 0);
	CHECK(dwunw_bpf_add_process(bpf, pid) == 0);
	dwunw_bpf_get_stats(bpf, &stats);
	CHECK(stats.unreadable == 1 && stats.unreadable_error == -EACCES);
	CHECK(dwunw_bpf_remove_process(bpf, pid) == 0);
	dwunw_bpf_get_stats(bpf, &stats);
	CHECK(stats.unreadable == 0 && stats.unreadable_error == 0);
	/* newer kernels give the mappings, though not all files, for CAP_PERFMON */
	CHECK(set_effective(bpf_only));
	err = dwunw_bpf_add_process(bpf, pid);
	dwunw_bpf_get_stats(bpf, &stats);
	CHECK(err == -EACCES || (err == 0 && stats.unreadable && stats.unreadable_error));
	CHECK(become_root());
	dwunw_bpf_destroy(bpf);
}

static void test_as_root(struct dwunw_context *context, struct bpf_object *object, pid_t pid)
{
	struct dwunw_bpf_stats stats;
	struct dwunw_bpf *bpf;

	CHECK(dwunw_bpf_create(context, object, &bpf) == 0);
	CHECK(dwunw_bpf_add_process(bpf, pid) == 0);
	dwunw_bpf_get_stats(bpf, &stats);
	CHECK(stats.unreadable == 0 && stats.unreadable_error == 0);
	dwunw_bpf_destroy(bpf);
}

static int say_nothing(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level, (void)format, (void)args;
	return 0;
}

/* Not to be found in a cache: what root could read. */
static void with_context(void (*test)(struct dwunw_context *, struct bpf_object *, pid_t),
			 struct bpf_object *object, pid_t pid)
{
	struct dwunw_context *context;

	CHECK(dwunw_context_create(NULL, &context) == 0);
	test(context, object, pid);
	dwunw_context_destroy(context);
}

static void test_object(struct bpf_object *object)
{
	char folder[] = "/tmp/bpf_unreadable_XXXXXX", program[64];
	int input = -1;
	pid_t pid;

	CHECK(mkdtemp(folder) && chmod(folder, 0755) == 0);
	snprintf(program, sizeof(program), "%s/chain", folder);
	CHECK(copy_program("chain", program) == 0);
	pid = start_program(program, &input);
	CHECK(pid > 0);
	if (pid > 0) {
		with_context(test_as_root, object, pid);
		with_context(test_as_nobody, object, pid);
	}
	close(input);
	waitpid(pid, NULL, 0);
	unlink(program);
	rmdir(folder);
}

/* `argv0` is BUILD/tests/unit/bpf_unreadable_test. */
int main(int argc, char **argv)
{
	struct bpf_object *object;
	char path[PATH_MAX + 64];

	(void)argc;
	libbpf_set_print(say_nothing);
	snprintf(build, sizeof(build), "%s", argv[0]);
	for (int i = 0; i < 3 && strrchr(build, '/'); i++)
		*strrchr(build, '/') = '\0';
	snprintf(path, sizeof(path), "%s/examples/bpf_memleak/memleak.bpf.o", build);
	object = bpf_object__open_file(path, NULL);
	CHECK(object && dwunw_bpf_prepare(object, NULL) == 0);
	if (!object)
		return test_end();
	if (getuid() == 0 && bpf_object__load(object) == 0)
		test_object(object);
	else
		printf("eBPF cannot be used here\n");
	bpf_object__close(object);
	return test_end();
}
