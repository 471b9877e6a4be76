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

/* -EPERM: not of the kind that is taken: another user could truncate it under libdw, which maps it. */
static int open_trusted(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= MAX_DEBUG_FILE) {
		if ((st.st_uid == 0 || st.st_uid == geteuid()) && !(st.st_mode & S_IWOTH))
			return fd;
		close(fd);
		return -EPERM;
	}
	close(fd);
	return -ENOENT;
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

int debug_file_by_build_id(const char *root, const uint8_t *id, size_t size, char **ret_path)
{
	char path[PATH_MAX], digits[2 * ELF_BUILD_ID_MAX + 1];
	int fd;

	if (size < 2 || size > ELF_BUILD_ID_MAX)
		return -ENOENT;
	for (size_t i = 0; i < size; i++)
		snprintf(digits + 2 * i, 3, "%02x", id[i]);
	if (snprintf(path, sizeof(path), "%s/.build-id/%.2s/%s.debug", root ? root : DEBUG_ROOT,
		     digits, digits + 2) >= (int)sizeof(path))
		return -ENOENT;
	fd = open_trusted(path);
	if (fd < 0)
		return fd == -EPERM ? fd : -ENOENT;
	return with_path(fd, path, ret_path);
}

/* `link`, in the folders where it may be, with that CRC-32 of the whole file. */
static int find_link(const char *root, const char *path, const char *link, uint32_t crc,
		     char **ret_path)
{
	const struct {
		const char *before, *after;
	} places[] = {{"", ""}, {"", "/.debug"}, {root ? root : DEBUG_ROOT, ""}};
	const char *slash = strrchr(path, '/');
	int err = -ENOENT;

	if (!slash || path[0] != '/' || strchr(link, '/'))
		return -ENOENT;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char place[PATH_MAX];
		int n = snprintf(place, sizeof(place), "%s%.*s%s/%s", places[i].before,
				 (int)(slash - path), path, places[i].after, link);
		int fd = n < (int)sizeof(place) ? open_trusted(place) : -ENAMETOOLONG;

		if (fd == -EPERM)
			err = fd;
		if (fd < 0)
			continue;
		if (crc_matches(fd, crc))
			return with_path(fd, place, ret_path);
		close(fd);
	}
	return err;
}

/* .gnu_debuglink: a name, its NUL, zeros up to a multiple of 4 bytes, the CRC. */
int debug_file_follow_link(const char *root, struct elf_file *file, const char *path,
			   char **ret_path)
{
	struct elf_section section;
	size_t name_size, crc_at;

	if (elf_file_section(file, ".gnu_debuglink", &section))
		return -ENOENT;
	name_size = strnlen((const char *)section.data, section.size);
	crc_at = (name_size + 4) / 4 * 4;
	if (name_size == 0 || crc_at + 4 > section.size)
		return -ENOENT;
	return find_link(root, path, (const char *)section.data,
			 (uint32_t)elf_get_uint(file, section.data + crc_at, 4), ret_path);
}

/* `fd` if the file has that build ID; else it is closed, and -ENOENT. */
static int of_build(int fd, const uint8_t *id, size_t size)
{
	struct elf_file *elf;
	bool same = false;
	size_t its_size;

	if (fd < 0)
		return -ENOENT;
	if (elf_file_open(fd, &elf) == 0) {
		const uint8_t *its = elf_file_build_id(elf, &its_size);

		same = its_size == size && memcmp(its, id, size) == 0;
		elf_file_close(elf);
	}
	if (same)
		return fd;
	close(fd);
	return -ENOENT;
}

/* .gnu_debugaltlink: a name, its NUL, a build ID. */
int debug_file_alternate(const char *root, struct elf_file *file, const char *path)
{
	struct elf_section section;
	const char *name, *slash = strrchr(path, '/');
	char place[PATH_MAX], *found = NULL;
	const uint8_t *id;
	size_t id_at;
	int fd, n;

	if (elf_file_section(file, ".gnu_debugaltlink", &section))
		return -ENOENT;
	name = (const char *)section.data;
	id_at = strnlen(name, section.size) + 1;
	if (id_at == 1 || id_at >= section.size)
		return -ENOENT;
	id = section.data + id_at;
	fd = debug_file_by_build_id(root, id, section.size - id_at, &found);
	free(fd < 0 ? NULL : found);
	fd = of_build(fd, id, section.size - id_at);
	if (fd >= 0)
		return fd;
	n = name[0] == '/' || !slash
		    ? snprintf(place, sizeof(place), "%s", name)
		    : snprintf(place, sizeof(place), "%.*s/%s", (int)(slash - path), path, name);
	if (n >= (int)sizeof(place) || place[0] != '/')
		return -ENOENT;
	return of_build(open_trusted(place), id, section.size - id_at);
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
	int fd = debug_file_by_build_id(NULL, id, size, &found);
	int err = open_same(file, fd, found, ret);

	if (err == 0 || err == -ENOMEM)
		return err;
	fd = debug_file_follow_link(NULL, file, path, &found);
	return open_same(file, fd, found, ret);
}
