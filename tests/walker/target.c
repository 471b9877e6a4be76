/* SPDX-License-Identifier: BSD-2-Clause */
#include "target.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

int target_start(char *const argv[], struct target *ret)
{
	int input[2];

	if (pipe2(input, O_CLOEXEC))
		return -errno;
	ret->input = input[1];
	ret->pid = fork();
	if (ret->pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(input[0], 0);
		dup2(null, 1);
		dup2(null, 2);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(input[0]);
	return ret->pid < 0 ? -errno : 0;
}

void target_end(struct target *target)
{
	kill(target->pid, SIGKILL);
	while (waitpid(target->pid, NULL, __WALL) < 0 && errno == EINTR)
		;
	close(target->input);
}

bool target_step(pid_t tid, unsigned int n)
{
	int status, signal = 0;

	while (n--) {
		if (ptrace(PTRACE_SINGLESTEP, tid, NULL, (void *)(long)signal) ||
		    waitpid(tid, &status, __WALL) != tid || !WIFSTOPPED(status))
			return false;
		signal = status >> 16 || WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
	}
	return true;
}

size_t target_threads(const struct target *target, pid_t *tids, size_t max)
{
	const struct dirent *entry;
	size_t n = 0;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)target->pid);
	dir = opendir(path);
	if (!dir)
		return 0;
	while (n < max && (entry = readdir(dir))) {
		pid_t tid = atoi(entry->d_name);

		if (tid > 0)
			tids[n++] = tid;
	}
	closedir(dir);
	return n;
}
