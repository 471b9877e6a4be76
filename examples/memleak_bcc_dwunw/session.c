/* SPDX-License-Identifier: BSD-2-Clause */
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "bpf/dwunw_bpf.h" /* dwunw-added */
#include "clock.h"
#include "comm.h"
#include "growth.h"
#include "memleak_dwunw.skel.h"
#include "message.h"
#include "output/history.h"
#include "output/output.h"
#include "reader.h"
#include "recent.h"
#include "process/process.h"
#include "progress.h"
#include "session_internal.h"
#include "symbolize/naming.h"
#include "session_kernel.h"
#include "session_live.h"
#include "tui/screen.h"
#include "wait.h"

#define EVENTS_BUDGET_MS 200 /* dwunw-added */

/* dwunw-added begin */
static int on_event(void *arg, void *data, size_t size)
{
	struct session *session = arg;
	const struct dwunw_event *event = data;

	session->mappings_changed |=
		event->type == DWUNW_EVENT_PROCESS || event->type == DWUNW_EVENT_MAPPINGS;
	/* an event of a process that has ended cannot be finished; that is counted, and no reason to stop */
	dwunw_bpf_handle_event(session->dwunw, data, size);
	if (session->events_until_ns)
		return event->time_ns < session->events_until_ns ? 0 : -EAGAIN;
	return monotonic_ms() < session->events_deadline_ms ? 0 : -EAGAIN;
}

void session_handle_events(struct session *session)
{
	/* a target that maps and unmaps all the time must not keep us from signals and reports */
	session->events_deadline_ms = monotonic_ms() + EVENTS_BUDGET_MS;
	ring_buffer__consume(session->events);
}

void session_catch_up(struct session *session)
{
	session->events_until_ns = monotonic_ns();
	ring_buffer__consume(session->events);
	session->events_until_ns = 0;
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
		dwunw_bpf_set_progress(session->dwunw, progress_step);
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

/* --comm: the processes that have this name now. */
static int find_by_name(struct options *options)
{
	int err = comm_find(options->comm, options->pids, &options->n_pids, MEMLEAK_MAX_TARGETS);

	if (err == -ESRCH)
		message("--comm: no process is named '%s'", options->comm);
	else if (err == -E2BIG)
		message("--comm: with those named '%s' there are more than %d processes",
			options->comm, MEMLEAK_MAX_TARGETS);
	else if (err)
		message("--comm: cannot read /proc: %s", strerror(-err));
	return err;
}

static int open_output(char path[PATH_MAX], int *ret)
{
	const char *folder = getenv("TMPDIR");

	folder = folder && folder[0] ? folder : "/tmp";
	snprintf(path, PATH_MAX, "%s/memleak-output-XXXXXX", folder);
	*ret = mkostemp(path, O_CLOEXEC);
	if (*ret >= 0)
		return 0;
	message("no file in %s for what the command prints: %s", folder, strerror(errno));
	return -EIO;
}

/* -c. The screen is the terminal program's: what the command prints goes to a file. */
static int start_command(struct session *session)
{
	struct options *options = &session->options;
	char path[PATH_MAX];
	int output = CHILD_INHERITS, err = 0;

	if (options->tui)
		err = open_output(path, &output);
	if (err)
		return err; /* which was said */
	err = child_start(options->command, output, &session->child);
	if (output >= 0) {
		close(output);
		if (err)
			unlink(path);
		else
			message("what the command prints is in %s", path);
	}
	if (err) {
		message("cannot run '%s': %s", options->command, strerror(-err));
		return err;
	}
	printf("child created with pid: %d\n", session->child.pid);
	fflush(stdout);
	options->pids[options->n_pids++] = session->child.pid;
	return 0;
}

/* The processes of -p and --comm, or the child of -c. */
static int open_targets(struct session *session)
{
	struct options *options = &session->options;

	if (options->command) {
		int err = start_command(session);

		if (err)
			return err;
	}
	if (options->comm) {
		int err = find_by_name(options);

		if (err)
			return err;
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

static int trace_targets(struct session *session)
{
	int err = 0;

	progress_begin("finding allocators of", "processes");
	for (unsigned int i = 0; i < session->n_targets && !err; i++) {
		progress_step(i, session->n_targets);
		err = target_trace(session, &session->targets[i]);
	}
	progress_end();
	return err;
}

static int start(struct session *session)
{
	int err;

	if (session->options.tui && screen_check())
		return -ENOTTY;
	session->started_ns = monotonic_ns();
	session->signals_fd = wait_open();
	err = session->signals_fd < 0 ? session->signals_fd : 0;
	if (!err)
		err = session_open_outputs(session);
	if (!err && session->options.kernel) {
		err = kernel_start(&session->options, &session->sampling, &session->kernel);
		return err ? err : trace_start(session);
	}
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
		err = leash_start(session);
	if (!err)
		err = session_events_start(session);
	if (!err)
		err = children_start(session);
	if (!err)
		err = trace_start(session);
	if (!err)
		err = trace_targets(session);
	if (!err)
		session_stop_child_at_exec(session);
	if (!err && session->child.pid)
		err = child_release(&session->child);
	session->child_runs = true;
	return err;
}

static struct sampling choose_sampling(const struct options *options)
{
	if (options->sample_bytes)
		return (struct sampling){SAMPLING_BYTES, options->sample_bytes};
	if (options->sample_rate > 1 || options->max_overhead)
		return (struct sampling){SAMPLING_CALLS, options->sample_rate};
	return (struct sampling){SAMPLING_NONE, 1};
}

int session_start(const struct options *options, struct session **ret)
{
	struct session *session = calloc(1, sizeof(*session));

	if (!session) {
		message("%s", strerror(ENOMEM));
		return EXIT_FAILURE;
	}
	session->options = *options;
	session->sampling = choose_sampling(options);
	session->signals_fd = -1;
	if (start(session)) {
		session_destroy(session);
		return EXIT_FAILURE;
	}
	*ret = session;
	return 0;
}

void session_destroy(struct session *session)
{
	struct probe_links links = {};

	if (!session)
		return;
	live_close(session);
	for (unsigned int i = 0; i < session->n_targets; i++)
		target_links(&session->targets[i], &links);
	probe_detach_together(&links);
	if (session->child.pid)
		child_end(&session->child);
	ring_buffer__free(session->events); /* dwunw-added: all processes at once */
	dwunw_bpf_destroy(session->dwunw);  /* dwunw-added */
	session->dwunw = NULL;		    /* dwunw-added */
	for (unsigned int i = 0; i < session->n_targets; i++)
		if (session->targets[i].pid)
			target_close(session, &session->targets[i]);
	naming_destroy(session->naming);
	ring_buffer__free(session->memleak_events);
	ring_buffer__free(session->trace);
	if (session->context)			 /* dwunw-added: which owns the modules */
		session->modules = NULL;	 /* dwunw-added */
	dwunw_context_destroy(session->context); /* dwunw-added */
	module_cache_destroy(session->modules);
	recent_unmap(session->recent);
	memleak_dwunw_bpf__destroy(session->skel);
	growth_free(session->last);
	peak_free(&session->peak);
	outputs_destroy(session->outputs);
	history_free(session->history);
	kernel_destroy(session->kernel);
	if (session->signals_fd >= 0)
		close(session->signals_fd);
	free(session);
}
