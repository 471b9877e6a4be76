/* SPDX-License-Identifier: BSD-2-Clause */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "words.h"

#define TRACE_OPTIONS (PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD)

#define END_POLLS 100 /* times 10 ms: how long SIGTERM is given */
#define END_POLL_NS 10000000

/* In the new process: nothing from the terminal, nothing to it. */
static int set_files(int output)
{
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
	    dup2(output, STDERR_FILENO) < 0)
		return -1;
	return 0;
}

/*
 * In the new process. `sock`: a byte comes when the parent traces it, an errno goes back if
 * execve() fails; closed by execve(). Blocked signals survive execve(), and so do ignored ones:
 * SIGPIPE and SIGXFSZ, which tools like to ignore and commands count on. (The other ignored ones are the wish
 * of whoever started the tool: nohup.)
 */
__attribute__((noreturn)) static void run_child(char **argv, int output, int sock)
{
	sigset_t none;
	char go;
	int err;

	sigemptyset(&none);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG,
	      SIGTERM); /* also by SIGKILL, which leaves no time for child_end() */
	if (output != CHILD_INHERITS && set_files(output))
		goto fail;
	if (close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0 && read(sock, &go, 1) == 1)
		execvp(argv[0], argv);
fail:
	err = errno;
	/* MSG_NOSIGNAL: a parent that is gone needs no answer */
	send(sock, &err, sizeof(err), MSG_NOSIGNAL);
	_exit(127);
}

static int wait_for(pid_t pid, int *status)
{
	pid_t found;

	do {
		found = waitpid(pid, status, __WALL);
	} while (found < 0 && errno == EINTR);
	return found < 0 ? -errno : 0;
}

static bool is_end(int status)
{
	return WIFEXITED(status) || WIFSIGNALED(status);
}

static void set_reaped(struct child *child, int status)
{
	child->reaped = true;
	child->traced = false;
	child->status = status;
}

/*
 * The signal with which a stopped child is to go on: what stopped it, unless that was the trace
 * itself.
 */
static int pending_signal(int status)
{
	int signal = WSTOPSIG(status);

	/*
	 * PTRACE_EVENT_* in the third byte, bit 7 of the signal for system calls
	 * (PTRACE_O_TRACESYSGOOD)
	 */
	return status >> 16 || signal & 0x80 ? 0 : signal;
}

/* Seizes the child that waits on the socket and lets it run up to its execve(). */
static int trace_to_exec(pid_t pid, int sock)
{
	int status, err;

	if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)(uintptr_t)TRACE_OPTIONS))
		return -errno;
	if (send(sock, "", 1, MSG_NOSIGNAL) != 1)
		return -errno;
	for (;;) {
		err = wait_for(pid, &status);
		if (err)
			return err;
		if (is_end(status)) {
			if (recv(sock, &err, sizeof(err), MSG_DONTWAIT) != sizeof(err) || err <= 0)
				err = ECHILD; /* killed before it could say why */
			return -err;
		}
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8))
			return 0;
		if (ptrace(PTRACE_CONT, pid, NULL, (void *)(uintptr_t)pending_signal(status)) &&
		    errno != ESRCH)
			return -errno;
	}
}

static int start(char **argv, int output, struct child *ret)
{
	int socks[2], err;
	pid_t pid;

	/*
	 * Inherited SIG_IGN would have the kernel reap the child itself: no status, and its pid
	 * free for another.
	 */
	signal(SIGCHLD, SIG_DFL);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, socks))
		return -errno;
	pid = fork();
	if (pid == 0) {
		close(socks[0]);
		run_child(argv, output, socks[1]);
	}
	err = pid < 0 ? -errno : 0;
	if (!err)
		err = trace_to_exec(pid, socks[0]);
	if (!err) {
		*ret = (struct child){.pid = pid, .traced = true};
	} else if (pid > 0) {
		int status;

		kill(pid, SIGKILL);
		wait_for(pid, &status);
	}
	close(socks[0]);
	close(socks[1]);
	return err;
}

int child_start(const char *command, int output, struct child *ret)
{
	char **argv;
	int err = words_split(command, &argv);

	if (err)
		return err;
	err = start(argv, output, ret);
	words_free(argv);
	return err;
}

/* Whether it is at the end of a system call; keeps the number of one that begins. */
static bool at_syscall_exit(struct child *child)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, child->pid, (void *)sizeof(info), &info) <= 0)
		return false;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
		child->syscall = (long)info.entry.nr;
	return info.op == PTRACE_SYSCALL_INFO_EXIT;
}

int child_step(struct child *child)
{
	int signal = 0, status;

	if (child->reaped)
		return 1;
	for (;;) {
		/* ESRCH: it runs already, after -EINTR, or was killed: waitpid() tells. */
		if (ptrace(PTRACE_SYSCALL, child->pid, NULL, (void *)(uintptr_t)signal) &&
		    errno != ESRCH)
			return -errno;
		if (waitpid(child->pid, &status, __WALL) < 0)
			return -errno;
		if (is_end(status)) {
			set_reaped(child, status);
			return 1;
		}
		if (WSTOPSIG(status) == (SIGTRAP | 0x80) && at_syscall_exit(child))
			return 0;
		signal = pending_signal(status);
	}
}

int child_catch(struct child *child)
{
	siginfo_t info;
	int status, err;

	if (child->reaped || child->traced)
		return child->reaped ? 1 : 0;
	do {
		err = waitid(P_PID, child->pid, &info, WSTOPPED | WEXITED | WNOWAIT) ? errno : 0;
	} while (err == EINTR);
	if (err)
		return -err;
	if (info.si_code != CLD_STOPPED)
		return child_has_ended(child);
	if (ptrace(PTRACE_SEIZE, child->pid, NULL, (void *)(uintptr_t)TRACE_OPTIONS))
		return -errno;
	child->traced = true;
	child->syscall = 0;
	kill(child->pid, SIGCONT); /* or it would be stopped again when it is let go */
	err = wait_for(child->pid, &status);
	if (!err && is_end(status)) {
		set_reaped(child, status);
		return 1;
	}
	return err;
}

int child_release(struct child *child)
{
	int status, err;

	if (child->reaped || !child->traced)
		return 0;
	child->traced = false;
	if (ptrace(PTRACE_DETACH, child->pid, NULL, NULL) == 0)
		return 0;
	if (errno != ESRCH)
		return -errno;
	/* It runs: only a stopped one can be let go. Dead: the wait below says so. */
	if (ptrace(PTRACE_INTERRUPT, child->pid, NULL, NULL) && errno != ESRCH)
		return -errno;
	err = wait_for(child->pid, &status);
	if (err)
		return err;
	if (is_end(status)) {
		set_reaped(child, status);
		return 0;
	}
	if (ptrace(PTRACE_DETACH, child->pid, NULL, (void *)(uintptr_t)pending_signal(status)) &&
	    errno != ESRCH)
		return -errno;
	return 0;
}

bool child_has_ended(struct child *child)
{
	siginfo_t info = {0};
	int status;

	if (child->reaped)
		return true;
	/* WEXITED alone: a stop that is still to be seen by child_step() stays. */
	if (waitid(P_PID, child->pid, &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid == 0)
		return false;
	if (wait_for(child->pid, &status) == 0)
		set_reaped(child, status);
	return child->reaped;
}

void child_end(struct child *child)
{
	const struct timespec pause = {0, END_POLL_NS};
	int status;

	if (child->reaped)
		return;
	child_release(child);
	kill(child->pid, SIGTERM);
	kill(child->pid, SIGCONT); /* a stopped process takes no SIGTERM */
	for (int i = 0; i < END_POLLS && !child_has_ended(child); i++)
		nanosleep(&pause, NULL);
	if (child->reaped)
		return;
	kill(child->pid, SIGKILL);
	if (wait_for(child->pid, &status) == 0)
		set_reaped(child, status);
}
