/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>
#include "process/maps.h"
#include "process/process.h"

#define TICK_NS 10000000LL /* that the kernel's file times may be behind */

/*
 * The device of the mount that the file is on, as /proc/PID/mountinfo has it: what the kernel names mapped files by. Overlays and
 * btrfs tell fstat() of others. -ENOENT: not found.
 */
static int get_mount_device(pid_t pid, int fd, uint32_t *major_ret, uint32_t *minor_ret)
{
	unsigned int id, dev_major, dev_minor;
	char path[64], *line = NULL;
	struct statx stx;
	size_t size = 0;
	int err = -ENOENT;
	FILE *file;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx) || !(stx.stx_mask & STATX_MNT_ID))
		return -ENOENT;
	snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return -ENOENT;
	while (err && getline(&line, &size, file) > 0) {
		if (sscanf(line, "%u %*u %u:%u ", &id, &dev_major, &dev_minor) != 3 ||
		    id != stx.stx_mnt_id)
			continue;
		*major_ret = dev_major;
		*minor_ret = dev_minor;
		err = 0;
	}
	free(line);
	fclose(file);
	return err;
}

static bool is_file_of(pid_t pid, int fd, const struct stat *st, const struct mapping *mapping)
{
	uint32_t dev_major = major(st->st_dev), dev_minor = minor(st->st_dev);

	if (st->st_ino != mapping->inode)
		return false;
	if (dev_major != mapping->dev_major || dev_minor != mapping->dev_minor)
		get_mount_device(pid, fd, &dev_major, &dev_minor);
	return dev_major == mapping->dev_major && dev_minor == mapping->dev_minor;
}

/* Whether the kernel names the file as it named that of the mapping; it may have been deleted since. */
static bool has_name_of(int fd, const struct mapping *mapping)
{
	char self[64], name[PATH_MAX];
	size_t length = strlen(mapping->path);
	ssize_t n;

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	n = readlink(self, name, sizeof(name) - 1);
	if (n < 0)
		return false;
	name[n] = '\0';
	if (strchr(name, '\n')) /* maps has it escaped */
		return true;
	return strncmp(name, mapping->path, length) == 0 &&
	       (!name[length] || strcmp(name + length, MAPS_DELETED) == 0);
}

/*
 * Opens `path` if it is a regular file, and, with `expected`, the very file of that mapping in process `pid`. Looking comes before
 * opening: opening a device or a FIFO that somebody put there can block or do things.
 */
static int open_regular(const char *path, pid_t pid, const struct mapping *expected)
{
	char self[64];
	struct stat st;
	int by_path, fd;

	by_path = open(path, O_PATH | O_CLOEXEC);
	if (by_path < 0)
		return -errno;
	if (fstat(by_path, &st))
		fd = -errno;
	else if (!S_ISREG(st.st_mode))
		fd = -ENOEXEC;
	else if (expected && !is_file_of(pid, by_path, &st, expected))
		fd = -ESTALE;
	else {
		snprintf(self, sizeof(self), "/proc/self/fd/%d", by_path);
		fd = open(self, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (fd < 0)
			fd = -errno;
	}
	close(by_path);
	return fd;
}

static int open_by_path(pid_t pid, const struct mapping *mapping)
{
	/* A name that really ends in " (deleted)" looks the same; device and inode decide. */
	const char *suffix = mapping->deleted ? MAPS_DELETED : "";
	char path[PATH_MAX + 64];
	int fd, skip;

	skip = snprintf(path, sizeof(path), "/proc/%d/root", (int)pid);
	if (snprintf(path + skip, sizeof(path) - (size_t)skip, "%s%s", mapping->path, suffix) >=
	    (int)sizeof(path) - skip)
		return -ENAMETOOLONG;
	fd = open_regular(path, pid, mapping);
	/*
	 * maps names the files of a chrooted process as its reader sees them, not from the new root. And where its root is not
	 * for us, most processes share ours.
	 */
	if (fd == -ENOENT || fd == -ENOTDIR || fd == -ESTALE || fd == -EACCES || fd == -EPERM) {
		int here = open_regular(path + skip, getpid(), mapping);

		if (here >= 0)
			return here;
	}
	return fd;
}

/* How far CLOCK_REALTIME is ahead of CLOCK_MONOTONIC. */
static int64_t realtime_ahead(void)
{
	struct timespec real, monotonic;

	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_MONOTONIC, &monotonic);
	return (real.tv_sec - monotonic.tv_sec) * 1000000000LL + real.tv_nsec - monotonic.tv_nsec;
}

int process_open_past_mapping(pid_t pid, const struct mapping *mapping, uint64_t time_ns)
{
	int64_t mapped = (int64_t)time_ns + realtime_ahead(), changed;
	int fd = open_by_path(pid, mapping);
	struct stat st;

	if (fd < 0)
		return fd;
	/* Its inode number may have been given to another file. */
	if (fstat(fd, &st) == 0) {
		changed = st.st_ctim.tv_sec * 1000000000LL + st.st_ctim.tv_nsec;
		if (changed < mapped - TICK_NS)
			return fd;
	}
	close(fd);
	return -ESTALE;
}

int process_open_here(const struct mapping *mapping)
{
	const char *suffix = mapping->deleted ? MAPS_DELETED : "";
	char path[PATH_MAX];
	struct stat st;
	int fd, err;

	if (snprintf(path, sizeof(path), "%s%s", mapping->path, suffix) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open_regular(path, 0, NULL);
	if (fd < 0 || !mapping->inode)
		return fd;
	/* The device is no help: overlays and btrfs have one for the mapping and another one here. */
	if (fstat(fd, &st))
		err = -errno;
	else
		err = st.st_ino == mapping->inode ? 0 : -ESTALE;
	if (!err)
		return fd;
	close(fd);
	return err;
}

int process_open_mapping(pid_t pid, const struct mapping *mapping)
{
	char path[96];
	int fd, denied;

	if (mapping->path[0] != '/' || mapping->inode == 0)
		return -ENOENT;
	snprintf(path, sizeof(path), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, (int)pid,
		 mapping->start, mapping->end);
	fd = open_regular(path, pid, NULL);
	if (fd >= 0) {
		struct stat st;

		/* another file may have been mapped there since */
		if (has_name_of(fd, mapping) ||
		    (fstat(fd, &st) == 0 && is_file_of(pid, fd, &st, mapping)))
			return fd;
		close(fd);
		fd = -ESTALE;
	}
	denied = fd == -EPERM || fd == -EACCES ? fd : 0;
	fd = open_by_path(pid, mapping);
	/* The file is there, only not for us: say so. */
	if ((fd == -ENOENT || fd == -ESTALE) && denied)
		return denied;
	return fd;
}
