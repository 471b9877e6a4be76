/* SPDX-License-Identifier: BSD-2-Clause */
#include "comm.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Without the newline at its end; a name may have others in it. False: the process has ended. */
static bool read_name(pid_t pid, char *name, size_t size)
{
	char path[32];
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	n = fread(name, 1, size - 1, file);
	fclose(file);
	if (n && name[n - 1] == '\n')
		n--;
	name[n] = '\0';
	return n > 0;
}

void comm_read(pid_t pid, char ret[COMM_SIZE])
{
	char name[COMM_SIZE];

	if (read_name(pid, name, sizeof(name)))
		memcpy(ret, name, sizeof(name));
}

static bool has_name(pid_t pid, const char *name)
{
	char comm[64]; /* kernel threads have longer ones there */

	return read_name(pid, comm, sizeof(comm)) && strncmp(comm, name, COMM_SIZE - 1) == 0;
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
