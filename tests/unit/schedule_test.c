/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves: reports come at the beat, INTERVALS of them, and a late one leaves beats out instead of being followed by others at once;
 * --duration ends the run whatever the beat is, with one last report also where both are due; checks come at
 * most ten times a second and take less than a twentieth of the time. And that waiting ends for the deadline, a descriptor, SIGUSR1 and SIGTERM, the latter
 * before everything else.
 */
#include "schedule.h"

#include <signal.h>
#include <unistd.h>

#include "../test.h"
#include "clock.h"
#include "wait.h"

static void test_beat(void)
{
	struct schedule s;

	schedule_begin(&s, 5, 3, 0, false, 1000);
	CHECK(schedule_deadline(&s) == 6000);
	CHECK(schedule_due(&s, 5999) == DUE_NOTHING && schedule_due(&s, 6000) == DUE_REPORT);
	schedule_reported(&s, 6300);
	CHECK(schedule_deadline(&s) == 11000);
	CHECK(schedule_due(&s, 11000) == DUE_REPORT);
	schedule_reported(&s, 30000); /* it took 19 s: the beats at 16, 21 and 26 s are one, now */
	CHECK(schedule_deadline(&s) == 30000 && schedule_due(&s, 30000) == DUE_LAST_REPORT);

	schedule_begin(&s, 1, 0, 0, false, 0);
	for (int i = 1; i < 1000; i++) { /* endless */
		CHECK(schedule_due(&s, i * 1000) == DUE_REPORT);
		schedule_reported(&s, i * 1000);
	}
}

static void test_duration(void)
{
	struct schedule s;

	schedule_begin(&s, 5, 0, 7, false, 0);
	CHECK(schedule_due(&s, 5000) == DUE_REPORT);
	schedule_reported(&s, 5000);
	CHECK(schedule_deadline(&s) == 7000);
	CHECK(schedule_due(&s, 6999) == DUE_NOTHING && schedule_due(&s, 7000) == DUE_LAST_REPORT);
	schedule_begin(&s, 5, 0, 5, false, 0); /* both at once */
	CHECK(schedule_due(&s, 5000) == DUE_LAST_REPORT);
	schedule_begin(&s, 1000, 0, 2, false, 0);
	CHECK(schedule_deadline(&s) == 2000 && schedule_due(&s, 2000) == DUE_LAST_REPORT);
}

static void test_checks(void)
{
	struct schedule s;

	schedule_begin(&s, 5, 0, 0, true, 1000);
	CHECK(schedule_due(&s, 1000) == DUE_CHECK);
	schedule_checked(&s, 1001, 1);
	CHECK(schedule_deadline(&s) == 1101 && schedule_due(&s, 1100) == DUE_NOTHING);
	schedule_checked(&s, 1300, 100); /* it took 100 ms: 4 s of rest */
	CHECK(schedule_due(&s, 5299) == DUE_NOTHING && schedule_due(&s, 5300) == DUE_CHECK);
	CHECK(schedule_due(&s, 6000) == DUE_REPORT); /* which knows all that a check does */
}

static void test_wait(void)
{
	int pipes[2], fd = wait_open();
	struct pollfd fds[2];
	int64_t start;

	CHECK(fd >= 0 && pipe(pipes) == 0);
	fds[1] = (struct pollfd){.fd = pipes[0], .events = POLLIN};
	start = monotonic_ms();
	CHECK(wait_until(fd, fds, 2, start + 30) == WAKE_TIME && monotonic_ms() >= start + 30);
	CHECK(write(pipes[1], "x", 1) == 1);
	CHECK(wait_until(fd, fds, 2, start + 60000) == WAKE_READY && fds[1].revents == POLLIN);
	kill(getpid(), SIGUSR1);
	/* late already, and the descriptor is ready: both are told with the signal */
	CHECK(wait_until(fd, fds, 2, start) == WAKE_REPORT && fds[1].revents == POLLIN);
	CHECK(wait_until(fd, fds, 2, start) == WAKE_TIME); /* it was one */
	kill(getpid(), SIGTERM);
	kill(getpid(), SIGUSR1);
	CHECK(wait_until(fd, fds, 2, start) == WAKE_STOP);
	CHECK(monotonic_ms() < start + 30000);
	close(fd);
	close(pipes[0]);
	close(pipes[1]);
}

int main(void)
{
	test_beat();
	test_duration();
	test_checks();
	test_wait();
	return test_end();
}
