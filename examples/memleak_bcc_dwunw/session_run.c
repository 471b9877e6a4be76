/* SPDX-License-Identifier: BSD-2-Clause */
/* The run of a session in user mode: what is waited for, and when a report is made. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <bpf/libbpf.h>

#include "clock.h"
#include "message.h"
#include "progress.h"
#include "schedule.h"
#include "session_internal.h"
#include "session_live.h"
#include "wait.h"

/* Of the descriptors that are waited for; the first is for signals. */
enum { LIVE = 4, FIRST_TARGET = LIVE + LIVE_N_FDS };

/* Why a report is made. Those from CAUSE_OVER on are the last. */
enum cause { CAUSE_BEAT, CAUSE_REQUEST, CAUSE_OVER, CAUSE_LEAKED, CAUSE_STOP, CAUSE_ENDED };

/* Notes which targets have ended, of the `fds` that were polled. */
static void note_ends(struct session *session, const struct pollfd *fds, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (fds[i].fd >= 0 && (fds[i].revents & (POLLIN | POLLHUP)))
			session->targets[i].ended = true;
}

static bool all_have_ended(const struct session *session)
{
	for (unsigned int i = 0; i < session->n_targets; i++)
		if (session->targets[i].pid && !session->targets[i].ended)
			return false;
	return true;
}

/* What the user wishes, by signals and by keys. */
static enum wake with_keys(struct session *session, enum wake wake)
{
	enum live_wish wish = session->live ? live_handle(session) : LIVE_NOTHING;

	if (wish == LIVE_QUIT)
		return WAKE_STOP;
	return wish == LIVE_REPORT && wake != WAKE_STOP ? WAKE_REPORT : wake;
}

/* Waits once, and handles the events that are there. */
static enum wake wait_for_events(struct session *session, int64_t deadline_ms)
{
	struct pollfd fds[FIRST_TARGET + MEMLEAK_MAX_TARGETS] = {
		[1] = {.fd = -1, .events = POLLIN},
		[2] = {.fd = -1, .events = POLLIN},
		[3] = {.fd = -1, .events = POLLIN},
		[LIVE] = {.fd = -1},
		[LIVE + 1] = {.fd = -1},
	};
	unsigned int n_targets = session->n_targets;
	enum wake wake;

	if (session->events)					    /* dwunw-added */
		fds[1].fd = ring_buffer__epoll_fd(session->events); /* dwunw-added */
	if (session->memleak_events)
		fds[2].fd = ring_buffer__epoll_fd(session->memleak_events);
	if (session->trace)
		fds[3].fd = ring_buffer__epoll_fd(session->trace);
	if (session->live)
		live_fds(session->live, fds + LIVE);
	for (unsigned int i = 0; i < n_targets; i++) {
		const struct target *target = &session->targets[i];

		fds[FIRST_TARGET + i].fd = target->ended ? -1 : target->pidfd;
		fds[FIRST_TARGET + i].events = POLLIN;
	}
	wake = wait_until(session->signals_fd, fds, FIRST_TARGET + n_targets,
			  session_look_for_allocators(session, deadline_ms));
	if (session->events)			/* dwunw-added */
		session_handle_events(session); /* dwunw-added */
	note_ends(session, fds + FIRST_TARGET, n_targets);
	return with_keys(session, wake);
}

static int check(struct session *session, struct schedule *schedule)
{
	int64_t start_ms = cpu_ms();
	int err = session_check(session);

	schedule_checked(schedule, monotonic_ms(), cpu_ms() - start_ms);
	return err;
}

/* 0, or the error of a check, which was said. */
static int wait_for_report(struct session *session, struct schedule *schedule, enum cause *ret)
{
	for (;;) {
		int64_t deadline_ms = schedule_deadline(schedule), look_ms = leash_due_ms(session);
		enum wake wake =
			wait_for_events(session, look_ms < deadline_ms ? look_ms : deadline_ms);
		enum due due;

		if (trace_handle(session))
			return -EIO;
		*ret = CAUSE_STOP;
		if (wake == WAKE_STOP)
			return 0;
		session_events_handle(session); /* before the last target's end counts */
		*ret = CAUSE_ENDED;
		if (!session->kernel && all_have_ended(session))
			return 0;
		leash_look(session);
		due = schedule_due(schedule, monotonic_ms());
		if (due == DUE_REPORT && session->live && live_is_paused(session->live)) {
			schedule_reported(schedule, monotonic_ms());
			continue;
		}
		*ret = wake == WAKE_REPORT	? CAUSE_REQUEST
		       : due == DUE_LAST_REPORT ? CAUSE_OVER
						: CAUSE_BEAT;
		if (wake == WAKE_REPORT || due == DUE_LAST_REPORT || due == DUE_REPORT)
			return 0;
		if (due == DUE_CHECK && check(session, schedule))
			return -EIO;
		*ret = CAUSE_LEAKED;
		if (session_has_leaked(session))
			return 0;
	}
}

/* Says which targets have ended since the last report, which had their last blocks. */
static void tell_ends(struct session *session)
{
	for (unsigned int i = 0; i < session->n_targets; i++) {
		struct target *target = &session->targets[i];

		if (target->ended && !target->told &&
		    (!target->is_child || session->options.verbose))
			message("process %d has ended", target->pid);
		target->told = target->ended;
	}
}

static int end_of_targets(struct session *session)
{
	if (session->child.pid && child_has_ended(&session->child)) {
		printf("reaped child process\n");
		return EXIT_SUCCESS;
	}
	tell_ends(session);
	return EXIT_FAILURE;
}

static int begin(struct session *session)
{
	int err;

	if (session->kernel)
		printf("Attaching to kernel allocators, Ctrl+C to quit.\n");
	for (unsigned int i = 0; i < session->n_targets; i++)
		printf("Attaching to pid %d, Ctrl+C to quit.\n", session->targets[i].pid);
	err = session_flush();
	progress_begin("opening the files of", "processes");
	for (unsigned int i = 0; i < session->n_targets && !err; i++) {
		progress_step(i, session->n_targets);
		err = target_symbols(session, &session->targets[i]);
	}
	progress_end();
	return err;
}

/* The last report has been printed. */
static int end(struct session *session, enum cause cause)
{
	int status = EXIT_SUCCESS;

	if (session->options.peak)
		peak_print(stdout, &session->peak);
	if (cause == CAUSE_ENDED)
		status = end_of_targets(session);
	if (cause == CAUSE_LEAKED)
		message("%" PRIu64 " bytes are outstanding: --stop-when-leaked ends the run",
			session->total);
	if (session->outputs_failed)
		status = EXIT_FAILURE;
	return session_flush() ? EXIT_FAILURE : session_end(session, status);
}

static bool is_wanted_at_end(const struct session *session)
{
	return session->outputs || session->options.peak ||
	       session->options.fail_above != UINT64_MAX;
}

/* The targets have ended: until the user has seen enough, or the time is over. */
static void linger(struct session *session, const struct schedule *schedule)
{
	struct pollfd fds[1 + LIVE_N_FDS];
	enum wake wake;

	live_end(session);
	do {
		live_fds(session->live, fds + 1);
		wake = wait_until(session->signals_fd, fds, 1 + LIVE_N_FDS, schedule->end_ms);
		wake = with_keys(session, wake);
	} while (wake != WAKE_STOP && wake != WAKE_TIME);
	live_close(session);
}

/* With --tui: shows it; of a run that ends by itself the last is printed, once the terminal is given back. */
static int report_live(struct session *session, const struct schedule *schedule, enum cause cause)
{
	int err;

	session->ends = cause >= CAUSE_OVER;
	session->silent = cause == CAUSE_STOP;
	if (session->ends && cause != CAUSE_ENDED)
		live_close(session);
	if (cause == CAUSE_STOP && !is_wanted_at_end(session))
		return 0;
	err = session_report(session);
	if (!err && cause == CAUSE_ENDED)
		linger(session, schedule);
	return err;
}

static int report(struct session *session, struct schedule *schedule, enum cause cause)
{
	int64_t start_ms = cpu_ms(), now_ms;
	int err = trace_handle_all(session);

	if (!err)
		err = session->live ? report_live(session, schedule, cause)
				    : session_report(session);
	if (err)
		return err;
	now_ms = monotonic_ms();
	if (cause == CAUSE_BEAT)
		schedule_reported(schedule, now_ms);
	if (session->live) {
		schedule_rest(schedule, now_ms, cpu_ms() - start_ms);
		live_tell_schedule(session, (double)(schedule->next_ms - now_ms) / 1000);
	}
	return 0;
}

int session_run(struct session *session)
{
	const struct options *options = &session->options;
	struct schedule schedule;
	enum cause cause;

	schedule_begin(&schedule, options->interval_s, options->n_intervals, options->duration_s,
		       session_is_watched(session), monotonic_ms());
	if (begin(session))
		return EXIT_FAILURE;
	if (session->options.tui &&
	    (live_open(session) || report(session, &schedule, CAUSE_REQUEST)))
		return EXIT_FAILURE;
	do {
		if (wait_for_report(session, &schedule, &cause) ||
		    report(session, &schedule, cause))
			return EXIT_FAILURE;
		if (cause < CAUSE_LEAKED && session_has_leaked(session))
			cause = CAUSE_LEAKED; /* that report was the last */
		if (cause < CAUSE_STOP)
			tell_ends(session);
	} while (cause < CAUSE_OVER);
	return end(session, cause);
}
