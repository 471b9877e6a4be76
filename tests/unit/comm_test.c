/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves: --comm finds all processes of exactly this name (a longer one as far as the kernel keeps it), and of those that are
 * listed already none twice; not this process; more than there is room for is an error and not a choice.
 */
#include "comm.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../test.h"

enum { CHILDREN = 3 };

/* A process of this name that waits for its end. */
static pid_t start(const char *name)
{
	int pipes[2];
	char c;
	pid_t pid;

	if (pipe(pipes))
		return -1;
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, name);
		if (write(pipes[1], "x", 1) == 1)
			pause();
		_exit(0);
	}
	if (read(pipes[0], &c, 1) != 1)
		return -1;
	close(pipes[0]);
	close(pipes[1]);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static bool has(const pid_t *pids, unsigned int n, pid_t pid)
{
	unsigned int times = 0;

	for (unsigned int i = 0; i < n; i++)
		times += pids[i] == pid;
	return times == 1;
}

int main(void)
{
	pid_t children[CHILDREN], other, pids[8] = {1};
	unsigned int n = 1;

	prctl(PR_SET_NAME, "comm test\nx");
	for (int i = 0; i < CHILDREN; i++)
		children[i] = start("comm test\nx");
	other = start("comm test\nxy");
	CHECK(comm_find("comm test\nx", pids, &n, 8) == 0);
	CHECK(n == 1 + CHILDREN && pids[0] == 1);
	for (int i = 0; i < CHILDREN; i++)
		CHECK(has(pids, n, children[i]));
	CHECK(comm_find("comm test\nx", pids, &n, 8) == 0 && n == 1 + CHILDREN);
	CHECK(comm_find("comm test", pids, &n, 8) == -ESRCH && n == 1 + CHILDREN);
	CHECK(comm_find("comm test\nxy", pids, &n, 1 + CHILDREN) == -E2BIG);
	CHECK(comm_find("comm test\nxy", pids, &n, 8) == 0 && has(pids, n, other));
	n = 0;
	CHECK(comm_find("comm test\nxy", pids, &n, 8) == 0 && n == 1 && pids[0] == other);
	end(other);
	for (int i = 0; i < CHILDREN; i++)
		end(children[i]);
	n = 0;
	CHECK(comm_find("comm test\nx", pids, &n, 8) == -ESRCH && n == 0);

	other = start("a-name-longer-than-fits");
	CHECK(comm_find("a-name-longer-than-fits", pids, &n, 8) == 0 && n == 1);
	CHECK(pids[0] == other);
	end(other);
	return test_end();
}
