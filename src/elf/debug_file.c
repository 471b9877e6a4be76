/* SPDX-License-Identifier: BSD-2-Clause */
#include "elf/debug_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "elf/elf_internal.h"

#define DEBUG_ROOT "/usr/lib/debug"

/* A browser's is 8 GiB at most; /proc/kcore, which somebody may name, is larger. */
#define MAX_DEBUG_FILE (1LL << 35)

/* -EACCES: not of the kind that is taken: another user could truncate it under libdwfl, which maps it, or it is no file at all. */
static int open_trusted(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= MAX_DEBUG_FILE &&
	    (st.st_uid == 0 || st.st_uid == geteuid()) && !(st.st_mode & S_IWOTH))
		return fd;
	close(fd);
	return -EACCES;
}

static bool crc_matches(int fd, uint32_t expected)
{
	static const size_t size = 64 << 10;
	uint8_t *buf = malloc(size);
	uLong crc = crc32(0, NULL, 0);
	off_t pos = 0;
	ssize_t n = -1;

	while (buf && pos <= MAX_DEBUG_FILE && (n = pread(fd, buf, size, pos)) > 0) {
		crc = crc32(crc, buf, (uInt)n);
		pos += n;
	}
	free(buf);
	return n == 0 && crc == expected;
}

/* Takes over `fd`. */
static int with_path(int fd, const char *path, char **ret_path)
{
	char *copy = strdup(path);

	if (!copy) {
		close(fd);
		return -ENOMEM;
	}
	*ret_path = copy;
	return fd;
}

int debug_file_by_build_id(const uint8_t *id, size_t size, char **ret_path)
{
	char path[sizeof(DEBUG_ROOT "/.build-id//.debug") + 2 * ELF_BUILD_ID_MAX];
	int n, fd;

	if (size < 2 || size > ELF_BUILD_ID_MAX)
		return -ENOENT;
	n = snprintf(path, sizeof(path), DEBUG_ROOT "/.build-id/%02x/", id[0]);
	for (size_t i = 1; i < size; i++)
		n += snprintf(path + n, sizeof(path) - (size_t)n, "%02x", id[i]);
	snprintf(path + n, sizeof(path) - (size_t)n, ".debug");
	fd = open_trusted(path);
	return fd < 0 ? -ENOENT : with_path(fd, path, ret_path);
}

int debug_file_by_link(const char *path, const char *link, uint32_t crc, char **ret_path)
{
	static const struct {
		const char *before, *after;
	} places[] = {{"", ""}, {"", "/.debug"}, {DEBUG_ROOT, ""}};
	const char *slash = strrchr(path, '/');

	if (!slash || path[0] != '/' || strchr(link, '/'))
		return -ENOENT;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char place[PATH_MAX];
		int n = snprintf(place, sizeof(place), "%s%.*s%s/%s", places[i].before,
				 (int)(slash - path), path, places[i].after, link);
		int fd = n < (int)sizeof(place) ? open_trusted(place) : -ENAMETOOLONG;

		if (fd < 0)
			continue;
		if (crc_matches(fd, crc))
			return with_path(fd, place, ret_path);
		close(fd);
	}
	return -ENOENT;
}

/* .gnu_debuglink: a name, its NUL, zeros up to a multiple of 4 bytes, the CRC. */
static int follow_link(struct elf_file *file, const char *path, char **ret_path)
{
	struct elf_section section;
	size_t name_size, crc_at;

	if (elf_file_section(file, ".gnu_debuglink", &section))
		return -ENOENT;
	name_size = strnlen((const char *)section.data, section.size);
	crc_at = (name_size + 4) / 4 * 4;
	if (name_size == 0 || crc_at + 4 > section.size)
		return -ENOENT;
	return debug_file_by_link(path, (const char *)section.data,
				  (uint32_t)elf_get_uint(file, section.data + crc_at, 4), ret_path);
}

/* Takes over `fd` and `path`, or what is no descriptor. */
static int open_same(const struct elf_file *file, int fd, char *path, struct elf_file **ret)
{
	size_t expected_size, size;
	const uint8_t *expected = elf_file_build_id(file, &expected_size), *id;
	struct elf_file *debug;
	int err;

	if (fd < 0)
		return fd;
	free(path);
	err = elf_file_open(fd, &debug);
	close(fd);
	if (err)
		return err;
	id = elf_file_build_id(debug, &size);
	if (size != expected_size || memcmp(id, expected, size) != 0) {
		elf_file_close(debug);
		return -ENOENT;
	}
	*ret = debug;
	return 0;
}

int debug_file_open(struct elf_file *file, const char *path, struct elf_file **ret)
{
	char *found = NULL;
	size_t size;
	const uint8_t *id = elf_file_build_id(file, &size);
	int fd = debug_file_by_build_id(id, size, &found);
	int err = open_same(file, fd, found, ret);

	if (err == 0 || err == -ENOMEM)
		return err;
	fd = follow_link(file, path, &found);
	return open_same(file, fd, found, ret);
}
