/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "process/maps.h"
#include "process/process.h"

/* 65,530 mappings (vm.max_map_count) are 7 MB; the sysctl can be raised. */
#define MAX_MAPS_TEXT (1UL << 30)

/* The kernel writes a newline in a path as \012, and nothing else so (fs/proc/task_mmu.c, seq_path with "\n"). */
static void unescape_newlines(char *path)
{
	char *out = path;

	while (*path) {
		if (strncmp(path, "\\012", 4) == 0) {
			*out++ = '\n';
			path += 4;
		} else {
			*out++ = *path++;
		}
	}
	*out = '\0';
}

static bool strip_deleted(char *path)
{
	size_t len = strlen(path), suffix = strlen(MAPS_DELETED);

	if (path[0] != '/' || len <= suffix || strcmp(path + len - suffix, MAPS_DELETED) != 0)
		return false;
	path[len - suffix] = '\0';
	return true;
}

static int parse_line(const char *line, struct mapping *mapping)
{
	struct mapping m = {0};
	char perms[5];
	int path = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n", &m.start,
		   &m.end, perms, &m.file_off, &m.dev_major, &m.dev_minor, &m.inode, &path) != 7 ||
	    path == 0 || strlen(perms) != 4 || m.start >= m.end)
		return -EBADMSG;
	m.executable = perms[2] == 'x';
	m.path = strdup(line + path);
	if (!m.path)
		return -ENOMEM;
	unescape_newlines(m.path);
	m.deleted = strip_deleted(m.path);
	*mapping = m;
	return 0;
}

int maps_parse(char *text, struct mapping **mappings, size_t *n)
{
	struct mapping *list;
	size_t count = 0, max = 0;
	char *line, *rest;
	int err = 0;

	for (const char *p = text; *p; p++)
		max += *p == '\n';
	list = calloc(max + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	for (line = strtok_r(text, "\n", &rest); line && !err; line = strtok_r(NULL, "\n", &rest)) {
		err = parse_line(line, &list[count]);
		if (!err)
			count++;
	}
	if (err) {
		maps_free(list, count);
		return err;
	}
	*mappings = list;
	*n = count;
	return 0;
}

/* All of a /proc file, whose size is not known before, with a NUL behind it. */
static int read_text(int fd, char **text)
{
	size_t size = 0, capacity = 0;
	char *buf = NULL;
	ssize_t n;

	do {
		if (capacity - size < 4096) {
			char *bigger = realloc(buf, capacity ? capacity * 2 : 64 << 10);

			if (!bigger || capacity > MAX_MAPS_TEXT) {
				free(bigger ? bigger : buf);
				return bigger ? -EFBIG : -ENOMEM;
			}
			buf = bigger;
			capacity = capacity ? capacity * 2 : 64 << 10;
		}
		n = read(fd, buf + size, capacity - size - 1);
		if (n > 0)
			size += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (n < 0) {
		int err = -errno;

		free(buf);
		return err;
	}
	buf[size] = '\0';
	*text = buf;
	return 0;
}

int maps_read(pid_t pid, struct mapping **mappings, size_t *n)
{
	struct mapping *list = NULL;
	size_t count = 0;
	char path[64], *text = NULL;
	int fd, err;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	err = read_text(fd, &text);
	close(fd);
	if (err)
		return err;
	err = maps_parse(text, &list, &count);
	free(text);
	if (!err && count == 0) {
		maps_free(list, count);
		err = -ESRCH;
	}
	if (err)
		return err;
	*mappings = list;
	*n = count;
	return 0;
}

void maps_free(struct mapping *mappings, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(mappings[i].path);
	free(mappings);
}
