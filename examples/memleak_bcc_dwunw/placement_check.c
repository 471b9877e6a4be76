/* SPDX-License-Identifier: BSD-2-Clause */
#include "placement_check.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bpf/probe.h"
#include "clock.h"
#include "placement_arch.h"

#define MAX_SAMPLES 32
#define SAMPLE_SPACE 64
#define HITS 32 /* of which the fastest counts: one that nothing disturbed */
#define CHILD_MS 1000

typedef void (*sample)(void);

/* Shared with the child. */
struct times {
	double emulated_ns, stepped_ns;
};

/* The samples as a file: the emulated kinds, then the one that is single-stepped. A negative errno, or its descriptor. */
static int create_file(const struct placement_arch *arch)
{
	uint8_t page[MAX_SAMPLES * SAMPLE_SPACE] = {0};
	int fd;

	if (arch->n_emulated >= MAX_SAMPLES)
		return -E2BIG;
	for (size_t i = 0; i < arch->n_emulated; i++)
		memcpy(page + i * SAMPLE_SPACE, arch->emulated[i].code, PLACEMENT_SAMPLE_SIZE);
	memcpy(page + arch->n_emulated * SAMPLE_SPACE, arch->stepped.code, PLACEMENT_SAMPLE_SIZE);
	fd = memfd_create("placement", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, page, sizeof(page)) != sizeof(page)) {
		close(fd);
		return -EIO;
	}
	return fd;
}

static int attach(struct bpf_program *program, int fd, size_t n, struct probe_links *links)
{
	struct probe probes[MAX_SAMPLES];
	char path[64];

	for (size_t i = 0; i < n; i++)
		probes[i] = (struct probe){.offset = i * SAMPLE_SPACE};
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	/* of all processes: none but the child maps the file */
	return probe_attach(program, -1, path, probes, n, false, links);
}

static double time_hit(sample function)
{
	double best = 0;

	for (int i = 0; i < HITS; i++) {
		uint64_t start = monotonic_ns();
		double ns;

		function();
		ns = (double)(monotonic_ns() - start);
		if (!best || ns < best)
			best = ns;
	}
	return best;
}

/* Tells by a byte that the emulated ones are done, and goes on when it is sent one. */
static void be_child(int fd, int socket, size_t n_emulated, struct times *times)
{
	uint8_t *code =
		mmap(NULL, MAX_SAMPLES * SAMPLE_SPACE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	char byte = 0;

	if (code == MAP_FAILED)
		_exit(EXIT_FAILURE);
	for (size_t i = 0; i < n_emulated; i++)
		((sample)(code + i * SAMPLE_SPACE))();
	times->emulated_ns = time_hit((sample)code);
	if (write(socket, &byte, 1) != 1 || read(socket, &byte, 1) != 1)
		_exit(EXIT_FAILURE);
	times->stepped_ns = time_hit((sample)(code + n_emulated * SAMPLE_SPACE));
	_exit(EXIT_SUCCESS);
}

/* Whether the kernel has mapped its page for single-stepping. */
static int has_stepped(pid_t pid, bool *ret)
{
	char path[64], *line = NULL;
	size_t room = 0;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	if (!maps)
		return -errno;
	*ret = false;
	while (getline(&line, &room, maps) > 0)
		*ret |= strstr(line, " [uprobes]\n") != NULL;
	free(line);
	fclose(maps);
	return 0;
}

static int watch(pid_t pid, int socket, bool *stepped)
{
	struct pollfd ready = {.fd = socket, .events = POLLIN};
	int status = 0, err;
	pid_t ended;
	char byte;

	if (poll(&ready, 1, CHILD_MS) == 1 && read(socket, &byte, 1) == 1)
		err = has_stepped(pid, stepped);
	else
		err = -ECHILD;
	if (err || write(socket, &byte, 1) != 1)
		kill(pid, SIGKILL);
	do /* fails where SIGCHLD is ignored: then nobody knows how the child ended */
		ended = waitpid(pid, &status, 0);
	while (ended < 0 && errno == EINTR);
	if (!err && (ended != pid || !WIFEXITED(status) || WEXITSTATUS(status)))
		err = -ECHILD;
	return err;
}

static int try_in_child(int fd, size_t n_emulated, struct times *times, bool *stepped)
{
	int sockets[2], err;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets))
		return -errno;
	pid = fork();
	if (pid == 0) {
		close(sockets[0]);
		be_child(fd, sockets[1], n_emulated, times);
	}
	err = pid < 0 ? -errno : 0;
	close(sockets[1]);
	if (!err)
		err = watch(pid, sockets[0], stepped);
	close(sockets[0]);
	return err;
}

int placement_check(struct bpf_program *nothing, struct placement_check *ret)
{
	const struct placement_arch *arch = placement_native_arch();
	struct probe_links links = {0};
	struct times *times;
	bool stepped = false;
	int fd, err;

	if (!arch)
		return -ENOTSUP;
	times = mmap(NULL, sizeof(*times), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (times == MAP_FAILED)
		return -errno;
	fd = create_file(arch);
	err = fd < 0 ? fd : attach(nothing, fd, arch->n_emulated + 1, &links);
	if (!err)
		err = try_in_child(fd, arch->n_emulated, times, &stepped);
	if (!err)
		*ret = (struct placement_check){!stepped, times->emulated_ns, times->stepped_ns};
	probe_detach(&links);
	if (fd >= 0)
		close(fd);
	munmap(times, sizeof(*times));
	return err;
}
