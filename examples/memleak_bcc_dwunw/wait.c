/* SPDX-License-Identifier: BSD-2-Clause */
#include "wait.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "clock.h"

#define MAX_WAIT_MS 1000000 /* poll() counts in an int */

int wait_open(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

/* Of all signals that are there the one that ends. */
static enum wake read_signals(int fd)
{
	struct signalfd_siginfo info;
	enum wake wake = WAKE_REPORT;

	while (read(fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGUSR1)
			wake = WAKE_STOP;
	}
	return wake;
}

enum wake wait_until(int signals_fd, struct pollfd *fds, unsigned int n, int64_t deadline_ms)
{
	int64_t left = deadline_ms - monotonic_ms();

	fds[0] = (struct pollfd){.fd = signals_fd, .events = POLLIN};
	if (poll(fds, n, left < 0 ? 0 : left > MAX_WAIT_MS ? MAX_WAIT_MS : (int)left) < 0) {
		for (unsigned int i = 0; i < n; i++) /* EINTR: stopped and continued */
			fds[i].revents = 0;
	}
	if (fds[0].revents & POLLIN)
		return read_signals(signals_fd);
	return monotonic_ms() >= deadline_ms ? WAKE_TIME : WAKE_READY;
}
