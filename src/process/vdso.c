/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/uio.h>
#include <unistd.h>
#include "process/maps.h"
#include "process/process.h"
#include "process/vdso.h"

/* Real ones are one to four pages. */
#define VDSO_MAX (1 << 20)

static int read_by_mem(pid_t pid, uint64_t addr, void *image, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = pread(fd, image, size, (off_t)addr);
	if (n < 0) {
		int err = -errno;

		close(fd);
		return err;
	}
	close(fd);
	return (size_t)n == size ? 0 : -EIO;
}

static int copy_own(void *image, size_t size)
{
	uint64_t addr = getauxval(AT_SYSINFO_EHDR);
	struct mapping *mappings;
	size_t n;
	int err = addr ? maps_read(getpid(), &mappings, &n) : -ENOENT;

	if (err)
		return err;
	err = -ENOENT;
	for (size_t i = 0; i < n && err; i++) {
		if (mappings[i].start != addr || mappings[i].end - addr != size)
			continue;
		memcpy(image, (const void *)(uintptr_t)addr, size);
		err = 0;
	}
	maps_free(mappings, n);
	return err;
}

int vdso_read(pid_t pid, const struct mapping *mapping, void **image)
{
	size_t size = mapping->end - mapping->start;
	struct iovec local, remote;
	void *copy;
	int err;

	if (size > VDSO_MAX)
		return -EFBIG;
	copy = malloc(size);
	if (!copy)
		return -ENOMEM;
	local = (struct iovec){copy, size};
	remote = (struct iovec){(void *)(uintptr_t)mapping->start, size};
	if (process_vm_readv(pid, &local, 1, &remote, 1, 0) != (ssize_t)size) {
		err = read_by_mem(pid, mapping->start, copy, size);
		if (err && copy_own(copy, size)) {
			free(copy);
			return err;
		}
	}
	*image = copy;
	return 0;
}

int vdso_read_own(size_t size, void **image)
{
	void *copy = size > VDSO_MAX ? NULL : malloc(size);
	int err;

	if (!copy)
		return size > VDSO_MAX ? -EFBIG : -ENOMEM;
	err = copy_own(copy, size);
	if (err) {
		free(copy);
		return err;
	}
	*image = copy;
	return 0;
}
