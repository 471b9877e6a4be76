/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output/json_read.h"

/* The last `n` bytes of a file. */
static int read_end(int fd, off_t size, size_t n, char *bytes)
{
	off_t at = size - (off_t)n;

	while (n) {
		ssize_t got = pread(fd, bytes, n, at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : -EIO; /* it has become shorter */
		bytes += got;
		at += got;
		n -= (size_t)got;
	}
	return 0;
}

/* What a line that is being appended to has before its end comes does not count; a file of one line without an end does. */
static int read_last(const char *bytes, size_t n, bool is_whole, struct view **ret,
		     char why[JSON_MAX_REASON])
{
	const char *end = memrchr(bytes, '\n', n), *start;

	if (!end)
		end = bytes + n;
	start = memrchr(bytes, '\n', (size_t)(end - bytes));
	if (!start && !is_whole) {
		snprintf(why, JSON_MAX_REASON, "its last line has more than %zu MiB",
			 JSON_MAX_LINE >> 20);
		return -EINVAL;
	}
	start = start ? start + 1 : bytes;
	return json_read(start, (size_t)(end - start), ret, why);
}

static int read_open(int fd, struct view **ret, char why[JSON_MAX_REASON])
{
	struct stat status;
	char *bytes;
	size_t n;
	int err;

	if (fstat(fd, &status))
		return -errno;
	if (!S_ISREG(status.st_mode)) {
		snprintf(why, JSON_MAX_REASON, "not a regular file");
		return -EINVAL;
	}
	n = (uint64_t)status.st_size > JSON_MAX_LINE + 2 ? JSON_MAX_LINE + 2
							 : (size_t)status.st_size;
	bytes = malloc(n + 1);
	if (!bytes)
		return -ENOMEM;
	err = read_end(fd, status.st_size, n, bytes);
	if (!err)
		err = read_last(bytes, n, (off_t)n == status.st_size, ret, why);
	free(bytes);
	return err;
}

int json_read_file(const char *path, struct view **ret, char why[JSON_MAX_REASON])
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int err;

	why[0] = '\0';
	err = fd < 0 ? -errno : read_open(fd, ret, why);
	if (fd >= 0)
		close(fd);
	if (err && !why[0])
		snprintf(why, JSON_MAX_REASON, "%s", strerror(-err));
	return err;
}
