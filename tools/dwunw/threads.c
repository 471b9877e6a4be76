/* SPDX-License-Identifier: BSD-2-Clause */
#include "threads.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	const pid_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int read_tids(DIR *dir, pid_t **tids, size_t *n)
{
	const struct dirent *entry;
	size_t capacity = 0;

	while ((entry = readdir(dir))) {
		pid_t tid = atoi(entry->d_name);

		if (tid <= 0) /* . and .. */
			continue;
		if (*n == capacity) {
			pid_t *grown;

			capacity = capacity ? 2 * capacity : 64;
			grown = reallocarray(*tids, capacity, sizeof(*grown));
			if (!grown)
				return -ENOMEM;
			*tids = grown;
		}
		(*tids)[(*n)++] = tid;
	}
	return *n ? 0 : -ESRCH;
}

int threads_list(pid_t pid, pid_t **ret, size_t *n)
{
	pid_t *tids = NULL;
	size_t found = 0;
	char path[64];
	DIR *dir;
	int err;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? -ESRCH : -errno;
	err = read_tids(dir, &tids, &found);
	closedir(dir);
	if (err) {
		free(tids);
		return err;
	}
	qsort(tids, found, sizeof(*tids), compare);
	*ret = tids;
	*n = found;
	return 0;
}
