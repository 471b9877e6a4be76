/* SPDX-License-Identifier: BSD-2-Clause */
#include "unwind/stop_thread.h"

#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#include <dwunw/event_format.h>

#include "arch/arch.h"

#define TIMEOUT_NS 1000000000L
#define LONGEST_PAUSE_NS 1000000L
#define MAX_USER_WORDS 128

/* The two lines of /proc/PID/task/TID/status that say why a thread cannot be traced. */
struct thread_status {
	bool ended;
	int tracer; /* tid; 0: none that we can see */
};

static int read_status(pid_t pid, pid_t tid, struct thread_status *ret)
{
	char path[64], line[256], state;
	FILE *file;

	*ret = (struct thread_status){0};
	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", (int)pid, (int)tid);
	file = fopen(path, "re");
	if (!file)
		return errno == ENOENT || errno == ESRCH ? -ESRCH : -errno;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "State: %c", &state) == 1)
			ret->ended = state == 'Z' || state == 'X';
		sscanf(line, "TracerPid: %d", &ret->tracer);
	}
	fclose(file);
	return 0;
}

/* ptrace(2) says EPERM for all of this. */
static int explain_refusal(pid_t pid, pid_t tid)
{
	struct thread_status status;
	int err = read_status(pid, tid, &status);

	if (err)
		return err;
	if (status.ended)
		return -ESRCH;
	return status.tracer ? -EBUSY : -EPERM;
}

static bool has_ended(pid_t pid, pid_t tid)
{
	struct thread_status status;

	return read_status(pid, tid, &status) == -ESRCH || status.ended;
}

/*
 * Waits for the stop without taking the status of a child that ends: that may be somebody else's to wait for. *status is what
 * the thread stopped for: a signal, or SIGTRAP and so on with PTRACE_EVENT_STOP above it.
 */
static int wait_for_stop(pid_t pid, pid_t tid, int *status)
{
	long pause = 10000;

	/* Or each pause were 50 microseconds longer. It is a property of this thread. */
	prctl(PR_SET_TIMERSLACK, 1000);
	for (long waited = 0; waited < TIMEOUT_NS; waited += pause) {
		struct timespec time = {0, pause};
		siginfo_t info = {0};

		if (waitid(P_PID, tid, &info, WSTOPPED | WNOHANG | __WALL | __WNOTHREAD) == 0 &&
		    info.si_pid == tid) {
			*status = info.si_status;
			return 0;
		}
		if (pause >= LONGEST_PAUSE_NS && has_ended(pid, tid))
			return -ESRCH;
		nanosleep(&time, NULL);
		if (pause < LONGEST_PAUSE_NS)
			pause += pause / 2;
	}
	return has_ended(pid, tid) ? -ESRCH : -ETIMEDOUT;
}

int thread_stop(pid_t pid, pid_t tid, struct stopped_thread *ret)
{
	int status, err;

	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL))
		return errno == EPERM ? explain_refusal(pid, tid) : -errno;
	if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL))
		return -errno;
	err = wait_for_stop(pid, tid, &status);
	if (err)
		return err;
	ret->tid = tid;
	/* A signal came first: it has been taken off the queue, and must be handed back. */
	ret->signal = status >> 8 ? 0 : status;
	return 0;
}

int thread_registers(const struct stopped_thread *thread, struct dwunw_registers *ret)
{
	const struct arch *arch = arch_native();
	unsigned long words[MAX_USER_WORDS];
	struct iovec set = {words, sizeof(words)};

	if (ptrace(PTRACE_GETREGSET, thread->tid, (void *)NT_PRSTATUS, &set))
		return -errno;
	if (set.iov_len != arch->n_user_words * sizeof(words[0]))
		return -ENOTSUP;
	memset(ret, 0, sizeof(*ret));
	ret->pc = words[arch->user_pc];
	for (unsigned int i = 0; i < DWUNW_MAX_REGS; i++)
		ret->regs[i] = words[arch->user_regs[i]];
	ret->valid = (1u << DWUNW_MAX_REGS) - 1;
	return 0;
}

uint64_t thread_ra_mask_of(const struct arch *arch, pid_t tid)
{
	uint64_t words[2];
	struct iovec set = {words, sizeof(words)};

	if (!arch->ra_mask_set ||
	    ptrace(PTRACE_GETREGSET, tid, (void *)(uintptr_t)arch->ra_mask_set, &set) ||
	    set.iov_len != sizeof(words))
		return 0;
	return words[1];
}

uint64_t thread_ra_mask(const struct stopped_thread *thread)
{
	return thread_ra_mask_of(arch_native(), thread->tid);
}

void thread_resume(const struct stopped_thread *thread)
{
	/* Fails only where the thread was killed meanwhile. */
	ptrace(PTRACE_DETACH, thread->tid, NULL, (void *)(long)thread->signal);
}
