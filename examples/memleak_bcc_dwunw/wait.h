/* SPDX-License-Identifier: BSD-2-Clause */
/* Waiting: for a time, for the signals that the user sends, for descriptors. Knows nothing of what is traced. */
#ifndef WAIT_H
#define WAIT_H

#include <poll.h>
#include <stdint.h>

enum wake {
	WAKE_READY,  /* a descriptor of the caller's: see its revents */
	WAKE_TIME,   /* the deadline has passed */
	WAKE_REPORT, /* SIGUSR1: a report is wished for now */
	WAKE_STOP,   /* SIGINT, SIGTERM */
};

/* From now on these signals wait to be read. The descriptor, or a negative errno. */
int wait_open(void);

/*
 * Waits once, until `deadline_ms` (clock.h) at the latest; a deadline that has passed only looks. fds[0] is for `signals_fd`, the
 * others, up to `n`, are the caller's and are looked at in any case. A signal comes before the time, the time before a descriptor.
 */
enum wake wait_until(int signals_fd, struct pollfd *fds, unsigned int n, int64_t deadline_ms);

#endif
