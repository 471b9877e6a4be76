/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolize/jit_map.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "grow.h"
#include "symbolize/naming.h"

/* The target writes the file: what is past these is not read. A large Java server's has 100,000 lines. */
#define MAX_BYTES (64u << 20)
#define MAX_FUNCTIONS (1u << 20)
#define MAX_NAME 1024

struct jit_function {
	uint64_t start, end;
	uint32_t order; /* in the file */
	uint32_t name;	/* offset in the text */
};

struct jit_map {
	pid_t pid;
	struct naming *naming;
	int fd; /* -1: not there yet */
	time_t tried_s;
	off_t size;
	struct timespec changed;
	char *text;
	struct jit_function *functions; /* by start; of the same start, the last one of the file */
	size_t n;
};

struct jit_map *jit_map_create(pid_t pid, struct naming *naming)
{
	struct jit_map *map = calloc(1, sizeof(*map));

	if (!map)
		return NULL;
	map->pid = pid;
	map->naming = naming;
	map->fd = -1;
	return map;
}

static void forget(struct jit_map *map)
{
	free(map->text);
	free(map->functions);
	map->text = NULL;
	map->functions = NULL;
	map->n = 0;
}

void jit_map_destroy(struct jit_map *map)
{
	if (!map)
		return;
	forget(map);
	if (map->fd >= 0)
		close(map->fd);
	free(map);
}

/* Its pid in the innermost PID namespace that it is in: proc(5), "NSpid". */
static pid_t pid_inside(pid_t pid)
{
	char path[64], line[512];
	pid_t inside = pid;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	status = fopen(path, "re");
	while (status && fgets(line, sizeof(line), status)) {
		char *last = strrchr(line, '\t');

		if (strncmp(line, "NSpid:", 6) == 0 && last)
			inside = atoi(last + 1);
	}
	if (status)
		fclose(status);
	return inside;
}

/* A link in the target's /tmp must not lead out of its root, and what is no file must not make us wait. */
static int open_inside(pid_t pid)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	char root[64], path[64];
	struct stat st;
	int root_fd, fd;

	snprintf(root, sizeof(root), "/proc/%d/root", pid);
	snprintf(path, sizeof(path), "tmp/perf-%d.map", pid_inside(pid));
	root_fd = open(root, O_PATH | O_CLOEXEC | O_DIRECTORY);
	if (root_fd < 0)
		return -errno;
	fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
	close(root_fd);
	if (fd >= 0 && (fstat(fd, &st) || !S_ISREG(st.st_mode))) {
		close(fd);
		return -ENOENT;
	}
	return fd >= 0 ? fd : -errno;
}

static void lost(const struct jit_map *map, enum loss loss)
{
	char path[64];

	snprintf(path, sizeof(path), "/tmp/perf-%d.map", map->pid);
	naming_lost(map->naming, loss, 1, path);
}

/* "START SIZE NAME", ended by a NUL. */
static bool parse_line(struct jit_map *map, char *line, struct jit_function *ret)
{
	char *end, *name;
	uint64_t size;

	errno = 0;
	ret->start = strtoull(line, &end, 16);
	if (end == line || *end != ' ')
		return false;
	line = end + 1;
	size = strtoull(line, &end, 16);
	if (errno || end == line || *end != ' ' ||
	    __builtin_add_overflow(ret->start, size, &ret->end))
		return false;
	name = end + 1;
	if (!name[0] || size == 0)
		return false;
	if (strnlen(name, MAX_NAME) == MAX_NAME) {
		name[MAX_NAME - 1] = '\0';
		lost(map, LOSS_JIT_NAME);
	}
	ret->name = (uint32_t)(name - map->text);
	return true;
}

static int compare(const void *left, const void *right)
{
	const struct jit_function *a = left, *b = right;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

static void parse(struct jit_map *map)
{
	char *rest, *line = strtok_r(map->text, "\n", &rest);
	size_t size = 0, out = 0;

	for (uint32_t order = 0; line && map->n < MAX_FUNCTIONS; order++) {
		if (grow((void **)&map->functions, &size, map->n, sizeof(*map->functions)))
			break;
		map->functions[map->n].order = order;
		map->n += parse_line(map, line, &map->functions[map->n]);
		line = strtok_r(NULL, "\n", &rest);
	}
	if (line)
		lost(map, LOSS_JIT);
	if (!map->n)
		return;
	qsort(map->functions, map->n, sizeof(*map->functions), compare);
	for (size_t i = 0; i < map->n; i++)
		if (i + 1 == map->n || map->functions[i].start != map->functions[i + 1].start)
			map->functions[out++] = map->functions[i];
	map->n = out;
}

/* The file as it is now. */
static void read_again(struct jit_map *map, const struct stat *st)
{
	size_t size = st->st_size < MAX_BYTES ? (size_t)st->st_size : MAX_BYTES, n = 0;
	ssize_t got;

	forget(map);
	if (st->st_size > (off_t)size)
		lost(map, LOSS_JIT);
	map->text = malloc(size + 1);
	if (!map->text)
		return;
	while (n < size && (got = pread(map->fd, map->text + n, size - n, (off_t)n)) > 0)
		n += (size_t)got;
	for (size_t i = 0; i < n; i++)
		if (!map->text[i])
			map->text[i] = '?';
	/* The last line may not be whole yet. */
	while (n && map->text[n - 1] != '\n')
		n--;
	map->text[n] = '\0';
	parse(map);
	map->size = st->st_size;
	map->changed = st->st_mtim;
}

/* While the process is there: of one that has ended it is not known. */
static void tell_missing(const struct jit_map *map)
{
	if (kill(map->pid, 0) == 0 || errno == EPERM)
		naming_tell_once(map->naming,
				 "names: process %d runs code that is in no file, as that of JIT "
				 "compilers, and there is no /tmp/perf-PID.map that names it "
				 "(java: jcmd %d Compiler.perfmap; node: --perf-basic-prof)",
				 map->pid, map->pid);
}

static void look(struct jit_map *map)
{
	struct timespec now;
	struct stat st;

	if (map->fd < 0) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (map->tried_s == now.tv_sec)
			return;
		map->tried_s = now.tv_sec;
		map->fd = open_inside(map->pid);
		if (map->fd == -ENOENT)
			tell_missing(map);
		if (map->fd < 0)
			return;
	}
	if (fstat(map->fd, &st) == 0 &&
	    (!map->text || st.st_size != map->size || st.st_mtim.tv_sec != map->changed.tv_sec ||
	     st.st_mtim.tv_nsec != map->changed.tv_nsec))
		read_again(map, &st);
}

const char *jit_map_find(struct jit_map *map, uint64_t addr, uint64_t *start)
{
	const struct jit_function *function;
	size_t low = 0, high;

	look(map);
	high = map->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (map->functions[mid].start <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	function = low ? &map->functions[low - 1] : NULL;
	if (!function || addr >= function->end)
		return NULL;
	*start = function->start;
	return naming_keep(map->naming, map->text + function->name);
}
