/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include "symbolize/debug_file.h"

#define DEBUG_ROOT "/usr/lib/debug"

/* .gnu_debuglink holds the CRC-32 of the whole file (GDB manual, "Separate Debug Files"). */
static bool crc_matches(int fd, GElf_Word expected)
{
	static const size_t size = 64 << 10;
	uint8_t *buf = malloc(size);
	uLong crc = crc32(0, NULL, 0);
	off_t pos = 0;
	ssize_t n = -1;

	while (buf && (n = pread(fd, buf, size, pos)) > 0) {
		crc = crc32(crc, buf, (uInt)n);
		pos += n;
	}
	free(buf);
	return n == 0 && crc == expected;
}

/* libdwfl maps debug files: take none that another user could truncate under us. */
static int open_trusted(const char *path, GElf_Word crc)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_uid == 0 || st.st_uid == geteuid()) && !(st.st_mode & S_IWOTH) &&
	    crc_matches(fd, crc))
		return fd;
	close(fd);
	return -1;
}

static int find_by_debuglink(const char *file_name, const char *debuglink, GElf_Word crc,
			     char **ret_name)
{
	static const struct {
		const char *before, *after;
	} places[] = {{"", ""}, {"", "/.debug"}, {DEBUG_ROOT, ""}};
	const char *slash = strrchr(file_name, '/');

	if (!slash || file_name[0] != '/' || strchr(debuglink, '/'))
		return -1;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char path[PATH_MAX];
		int n = snprintf(path, sizeof(path), "%s%.*s%s/%s", places[i].before,
				 (int)(slash - file_name), file_name, places[i].after, debuglink);
		int fd = n < (int)sizeof(path) ? open_trusted(path, crc) : -1;

		if (fd >= 0) {
			*ret_name = strdup(path);
			return fd;
		}
	}
	return -1;
}

int debug_file_find(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base,
		    const char *file_name, const char *debuglink, GElf_Word crc, char **ret_name)
{
	int fd = dwfl_build_id_find_debuginfo(module, userdata, name, base, file_name, debuglink,
					      crc, ret_name);

	if (fd < 0 && file_name && debuglink)
		fd = find_by_debuglink(file_name, debuglink, crc, ret_name);
	return fd;
}
