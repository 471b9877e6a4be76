/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_TRIES 100 /* names of temporary files that an earlier run left behind */

#define MAX_WAIT_MS 5000 /* for who reads a FIFO to read on */

/* 0: there is room again. */
static int wait_for_reader(int fd)
{
	struct pollfd room = {.fd = fd, .events = POLLOUT};
	int n = poll(&room, 1, MAX_WAIT_MS);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	return n ? 0 : -ETIMEDOUT;
}

static int write_all(int fd, const char *bytes, size_t n)
{
	while (n) {
		ssize_t written = write(fd, bytes, n);

		if (written < 0 && errno == EAGAIN) {
			int err = wait_for_reader(fd);

			if (err)
				return err;
			continue;
		}
		if (written < 0 && errno != EINTR)
			return -errno;
		if (written > 0) {
			bytes += written;
			n -= (size_t)written;
		}
	}
	return 0;
}

/* Where the file is, or would be, without links; whether something else than a regular file is there. */
static int resolve(const char *path, char **ret, bool *ret_direct)
{
	struct stat status;
	char *resolved;

	if (stat(path, &status)) {
		if (errno != ENOENT || lstat(path, &status) == 0) /* a link that leads nowhere */
			return -errno;
		resolved = strdup(path);
		*ret_direct = false;
	} else {
		if (S_ISDIR(status.st_mode))
			return -EISDIR;
		if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS))
			return -errno;
		resolved = realpath(path, NULL);
		*ret_direct = !S_ISREG(status.st_mode);
	}
	if (!resolved)
		return -errno;
	*ret = resolved;
	return 0;
}

/* In the folder of the file, since only there its name can be changed to that of the file. */
static int open_temporary(const char *path, char **ret)
{
	char *copy = strdup(path), *name;
	int fd = -1, err = copy ? -EEXIST : -ENOMEM;

	for (unsigned int i = 0; i < MAX_TRIES && err == -EEXIST; i++) {
		strcpy(copy, path); /* dirname() has changed it */
		if (asprintf(&name, "%s/.memleak_dwunw.%d.%u.tmp", dirname(copy), (int)getpid(),
			     i) < 0) {
			err = -ENOMEM;
			break;
		}
		fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		err = fd < 0 ? -errno : 0;
		if (err)
			free(name);
	}
	free(copy);
	if (err)
		return err;
	*ret = name;
	return fd;
}

/* A FIFO that nobody reads, or no more, would otherwise stop the whole program here. */
static int write_directly(const char *path, const char *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = write_all(fd, bytes, n);
	if (close(fd) && !err)
		err = -errno;
	return err;
}

/* What is replaced stays who it belongs to, as far as this user may give it away, and no more can read it than before. */
static int take_after(int fd, const char *path)
{
	struct stat status, own;

	if (stat(path, &status))
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &own))
		return -errno;
	if ((own.st_uid != status.st_uid || own.st_gid != status.st_gid) &&
	    fchown(fd, status.st_uid, status.st_gid))
		status.st_mode &= ~S_IRWXG; /* another group's */
	if (((own.st_mode ^ status.st_mode) & 0777) == 0)
		return 0; /* nor are there others on some file systems */
	return fchmod(fd, status.st_mode & 0777) ? -errno : 0;
}

static int replace(const char *path, const char *bytes, size_t n)
{
	char *temporary;
	int fd = open_temporary(path, &temporary), err;

	if (fd < 0)
		return fd;
	err = take_after(fd, path);
	if (!err)
		err = write_all(fd, bytes, n);
	if (close(fd) && !err)
		err = -errno;
	if (!err && rename(temporary, path))
		err = -errno;
	if (err)
		unlink(temporary);
	free(temporary);
	return err;
}

static int append(const char *path, const char *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666), err;
	struct stat status;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &status)) {
		err = -errno;
		close(fd);
		return err;
	}
	err = write_all(fd, bytes, n);
	if (close(fd) && !err)
		err = -errno;
	/* what is there of it goes, so that the next one does not follow half a line */
	if (err && truncate(path, status.st_size))
		err = -errno;
	return err;
}

int output_file_check(const char *path)
{
	char *resolved, *temporary;
	bool direct;
	int err = resolve(path, &resolved, &direct), fd;

	if (err)
		return err;
	if (!direct) {
		fd = open_temporary(resolved, &temporary);
		err = fd < 0 ? fd : 0;
	}
	if (!direct && !err) {
		close(fd);
		unlink(temporary);
		free(temporary);
	}
	free(resolved);
	return err;
}

static int write_by(const char *path, const char *bytes, size_t n,
		    int (*how)(const char *path, const char *bytes, size_t n))
{
	char *resolved;
	bool direct;
	int err = resolve(path, &resolved, &direct);

	if (err)
		return err;
	err = (direct ? write_directly : how)(resolved, bytes, n);
	free(resolved);
	return err;
}

int output_file_replace(const char *path, const char *bytes, size_t n)
{
	return write_by(path, bytes, n, replace);
}

int output_file_append(const char *path, const char *bytes, size_t n)
{
	return write_by(path, bytes, n, append);
}

void output_time(struct output_times *times, time_t when, char ret[64])
{
	struct tm parts;
	size_t length;

	if (times->n && when <= times->last) {
		times->n++;
	} else {
		times->last = when;
		times->n = 1;
	}
	gmtime_r(&times->last, &parts);
	length = strftime(ret, 64, "%Y%m%dT%H%M%SZ", &parts);
	if (times->n > 1)
		snprintf(ret + length, 64 - length, "-%u", times->n);
}

bool output_has_time(const char *path)
{
	return strstr(path, "%t");
}

char *output_name(const char *path, const char *time)
{
	char *name = NULL;
	size_t size;
	FILE *out = open_memstream(&name, &size);
	const char *next;

	if (!out)
		return NULL;
	for (; (next = strstr(path, "%t")); path = next + 2)
		fprintf(out, "%.*s%s", (int)(next - path), path, time);
	fputs(path, out);
	if (!fclose(out))
		return name;
	free(name);
	return NULL;
}
