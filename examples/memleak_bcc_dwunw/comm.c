/* SPDX-License-Identifier: BSD-2-Clause */
#include "comm.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COMM_LENGTH 15 /* TASK_COMM_LEN - 1 */

/* A process that has ended has no name. */
static bool has_name(pid_t pid, const char *name)
{
	char path[32], comm[64] = ""; /* kernel threads have longer ones there */
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	n = fread(comm, 1, sizeof(comm) - 1, file); /* a name may have a newline in it */
	fclose(file);
	if (n && comm[n - 1] == '\n')
		comm[n - 1] = '\0';
	return strncmp(comm, name, COMM_LENGTH) == 0;
}

static bool is_there(pid_t pid, const pid_t *pids, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

int comm_find(const char *name, pid_t *pids, unsigned int *n, unsigned int max)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	bool found = false;
	int err = 0;

	if (!proc)
		return -errno;
	while (!err && (entry = readdir(proc))) {
		char *rest;
		pid_t pid = (pid_t)strtoul(entry->d_name, &rest, 10);

		if (*rest || pid <= 0 || pid == getpid() || !has_name(pid, name))
			continue;
		found = true;
		if (is_there(pid, pids, *n))
			continue;
		if (*n == max)
			err = -E2BIG;
		else
			pids[(*n)++] = pid;
	}
	closedir(proc);
	return found ? err : -ESRCH;
}
