/* SPDX-License-Identifier: BSD-2-Clause */
#include "session.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "bpf/dwunw_bpf.h" /* dwunw-added */
#include "clock.h"
#include "memleak_dwunw.skel.h"
#include "message.h"
#include "reader.h"
#include "process/process.h"
#include "session_internal.h"

#define EVENTS_BUDGET_MS 200 /* dwunw-added */

static int block_signals(struct session *session)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	session->signals_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return session->signals_fd < 0 ? -errno : 0;
}

/* dwunw-added begin */
static int on_event(void *arg, void *data, size_t size)
{
	struct session *session = arg;

	/* an event of a process that has ended cannot be finished; that is counted, and no reason to stop */
	dwunw_bpf_handle_event(session->dwunw, data, size);
	return monotonic_ms() < session->events_deadline_ms ? 0 : -EAGAIN;
}

void session_handle_events(struct session *session)
{
	/* a target that maps and unmaps all the time must not keep us from signals and reports */
	session->events_deadline_ms = monotonic_ms() + EVENTS_BUDGET_MS;
	ring_buffer__consume(session->events);
}

/* What the kernel lacks or refuses, and what follows. */
static void tell_of_kernel(const struct session *session)
{
	const struct dwunw_bpf_stats *stats = &session->told_stats;

	if (stats->walk_in_user_space && !session->options.walk_in_user_space)
		message("[dwunw] this kernel lacks bpf_loop (5.17): stacks are copied and walked "
			"in user space, at a higher cost");
	if (stats->records_error)
		message("[dwunw] no records of new mappings (perf_event_open: %s): stacks through "
			"libraries that are closed soon after may be cut short",
			strerror(-stats->records_error));
}

static int start_dwunw(struct session *session)
{
	int fd = bpf_map__fd(session->skel->maps.dwunw_events);
	int err = dwunw_context_create(NULL, &session->context);

	if (!err)
		err = dwunw_bpf_create(session->context, session->skel->obj, &session->dwunw);
	if (!err) {
		dwunw_bpf_get_stats(session->dwunw, &session->told_stats);
		tell_of_kernel(session);
		session->modules = dwunw_context_modules(session->context);
		session->events = ring_buffer__new(fd, on_event, session, NULL);
		err = session->events ? 0 : -errno;
	}
	if (err)
		message("[dwunw] cannot start: %s", strerror(-err));
	return err;
}
/* dwunw-added end */

static int create_modules(struct session *session)
{
	if (session->options.mode != OPTIONS_MODE_OFF) /* dwunw-added */
		return start_dwunw(session);	       /* dwunw-added */
	return module_cache_create(0, &session->modules);
}

/* The processes of -p, or the child of -c. */
static int open_targets(struct session *session)
{
	struct options *options = &session->options;

	if (options->command) {
		int err = child_start(options->command, &session->child);

		if (err) {
			message("cannot run '%s': %s", options->command, strerror(-err));
			return err;
		}
		printf("child created with pid: %d\n", session->child.pid);
		fflush(stdout);
		options->pids[options->n_pids++] = session->child.pid;
	}
	for (unsigned int i = 0; i < options->n_pids; i++) {
		int err = target_open(&session->targets[i], options->pids[i]);

		if (err)
			return err;
		session->n_targets++;
	}
	return 0;
}

/*
 * Decides, before anything is loaded, whether the targets can be read. With one that cannot, the stacks of all are the
 * kernel's: those of a report are of one kind.
 */
static void choose_reader(struct session *session)
{
	struct options *options = &session->options;
	bool denied = false;

	for (unsigned int i = 0; i < session->n_targets; i++) {
		struct target *target = &session->targets[i];

		target->denied = reader_check_mappings(target->pid);
		denied |= target->denied != 0;
	}
	session->mode_asked_for = options->mode;
	if (denied && options->mode == OPTIONS_MODE_FALLBACK)
		options->mode = OPTIONS_MODE_OFF;
}

/* Once it is clear that nothing else is in the way. */
static int tell_of_reader(const struct session *session)
{
	int err = 0;

	for (unsigned int i = 0; i < session->n_targets; i++) {
		const struct target *target = &session->targets[i];

		if (!target->denied)
			continue;
		reader_tell_failure(target->pid, session->mode_asked_for, target->denied);
		err = target->denied;
	}
	return session->mode_asked_for == OPTIONS_MODE_FORCE ? err : 0;
}

static int start(struct session *session)
{
	int err = block_signals(session);

	if (!err)
		err = open_targets(session);
	if (!err) {
		choose_reader(session);
		err = session_load(session);
	}
	if (!err)
		err = tell_of_reader(session);
	if (!err)
		err = create_modules(session);
	if (!err)
		err = children_start(session);
	for (unsigned int i = 0; i < session->n_targets && !err; i++)
		err = target_trace(session, &session->targets[i]);
	if (!err && session->child.pid)
		err = child_release(&session->child);
	session->child_runs = true;
	return err;
}

int session_start(const struct options *options, struct session **ret)
{
	struct session *session = calloc(1, sizeof(*session));

	if (!session) {
		message("%s", strerror(ENOMEM));
		return EXIT_FAILURE;
	}
	session->options = *options;
	session->signals_fd = -1;
	if (start(session)) {
		session_destroy(session);
		return EXIT_FAILURE;
	}
	*ret = session;
	return 0;
}

enum { FIRST_TARGET = 3 }; /* of the descriptors that are waited for */

enum wake { WAKE_TIME, WAKE_SIGNAL, WAKE_ENDED };

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

/* Handles events until `deadline_ms`, a signal, or the end of the last target. */
static enum wake wait_for_report(struct session *session, int64_t deadline_ms)
{
	struct pollfd fds[FIRST_TARGET + MEMLEAK_MAX_TARGETS] = {
		{.fd = session->signals_fd, .events = POLLIN},
		{.fd = -1, .events = POLLIN},
		{.fd = -1, .events = POLLIN},
	};

	if (session->events)					    /* dwunw-added */
		fds[1].fd = ring_buffer__epoll_fd(session->events); /* dwunw-added */
	if (session->children_events)
		fds[2].fd = ring_buffer__epoll_fd(session->children_events);
	for (;;) {
		int64_t left = deadline_ms - monotonic_ms();
		unsigned int n_targets = session->n_targets;

		for (unsigned int i = 0; i < n_targets; i++) {
			const struct target *target = &session->targets[i];

			fds[FIRST_TARGET + i].fd = target->ended ? -1 : target->pidfd;
			fds[FIRST_TARGET + i].events = POLLIN;
		}
		/* also when it is late already: a signal and the end of the target come first */
		poll(fds, FIRST_TARGET + n_targets,
		     left < 0	      ? 0
		     : left > 1000000 ? 1000000
				      : (int)left);
		if (session->events)			/* dwunw-added */
			session_handle_events(session); /* dwunw-added */
		if (fds[0].revents & POLLIN)
			return WAKE_SIGNAL;
		note_ends(session, fds + FIRST_TARGET, n_targets);
		children_handle(session); /* before the last target's end counts */
		if (all_have_ended(session))
			return WAKE_ENDED;
		if (monotonic_ms() >= deadline_ms)
			return WAKE_TIME;
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

int session_run(struct session *session)
{
	const struct options *options = &session->options;
	int64_t next = monotonic_ms();

	for (unsigned int i = 0; i < session->n_targets; i++)
		printf("Attaching to pid %d, Ctrl+C to quit.\n", session->targets[i].pid);
	if (session_flush())
		return EXIT_FAILURE;
	for (unsigned int i = 0; i < session->n_targets; i++)
		if (target_symbols(session, &session->targets[i]))
			return EXIT_FAILURE;
	for (unsigned int i = 0; options->n_intervals == 0 || i < options->n_intervals; i++) {
		enum wake wake;

		next += (int64_t)options->interval_s * 1000;
		if (next < monotonic_ms()) /* the last report took longer: its beats are left out */
			next = monotonic_ms();
		wake = wait_for_report(session, next);
		if (session_report(session))
			return EXIT_FAILURE;
		if (wake == WAKE_SIGNAL)
			return EXIT_SUCCESS;
		if (wake == WAKE_ENDED)
			return end_of_targets(session);
		tell_ends(session);
	}
	return EXIT_SUCCESS;
}

void session_destroy(struct session *session)
{
	if (!session)
		return;
	for (unsigned int i = 0; i < session->n_targets; i++)
		probe_detach(&session->targets[i].links);
	if (session->child.pid)
		child_end(&session->child);
	for (unsigned int i = 0; i < session->n_targets; i++)
		if (session->targets[i].pid)
			target_close(session, &session->targets[i]);
	ring_buffer__free(session->children_events);
	/* dwunw-added begin: owns the modules */
	if (session->context) {
		ring_buffer__free(session->events);
		dwunw_bpf_destroy(session->dwunw);
		dwunw_context_destroy(session->context);
		session->modules = NULL;
	}
	/* dwunw-added end */
	module_cache_destroy(session->modules);
	memleak_dwunw_bpf__destroy(session->skel);
	if (session->signals_fd >= 0)
		close(session->signals_fd);
	free(session);
}
