/* SPDX-License-Identifier: BSD-2-Clause */
#include "session.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "bpf/dwunw_bpf.h" /* dwunw-added */
#include "memleak_dwunw.skel.h"
#include "message.h"
#include "privileges.h"
#include "process/process.h"
#include "session_internal.h"
#include "shadow_stack.h"
#include "symbolize/symbolize.h"

#define EVENTS_BUDGET_MS 200

static int64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

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

/* The process's mappings could not be read: says why. */
static void explain_process(const struct session *session, int err)
{
	char missing[64];

	privileges_missing_for_process(missing, sizeof(missing));
	if (err == -ESRCH || err == -ENOENT)
		message("no process with pid %d", session->pid);
	else if (missing[0])
		message("not permitted to read process %d: missing %s", session->pid, missing);
	else
		message("cannot read process %d: %s", session->pid, strerror(-err));
}

/* dwunw-added: the library's side, before there is a process */
static int start_dwunw(struct session *session);

static int create_modules(struct session *session)
{
	if (session->options.mode != OPTIONS_MODE_OFF) { /* dwunw-added */
		int err = start_dwunw(session);		 /* dwunw-added */

		if (err)						     /* dwunw-added */
			message("[dwunw] cannot start: %s", strerror(-err)); /* dwunw-added */
		return err;						     /* dwunw-added */
	}								     /* dwunw-added */
	return module_cache_create(&session->modules);
}

/* dwunw-added */
static int on_event(void *arg, void *data, size_t size)
{
	struct session *session = arg;

	/* an event of a process that has ended cannot be finished; that is counted, and no reason to stop */
	dwunw_bpf_handle_event(session->dwunw, data, size);
	return monotonic_ms() < session->events_deadline_ms ? 0 : -EAGAIN;
}

/* dwunw-added */
void session_handle_events(struct session *session)
{
	/* a target that maps and unmaps all the time must not keep us from signals and reports */
	session->events_deadline_ms = monotonic_ms() + EVENTS_BUDGET_MS;
	ring_buffer__consume(session->events);
}

static int start_dwunw(struct session *session)
{
	int fd = bpf_map__fd(session->skel->maps.dwunw_events);
	int err = dwunw_context_create(NULL, &session->context);

	if (!err)
		err = dwunw_bpf_create(session->context, session->skel->obj, &session->dwunw);
	if (err)
		return err;
	session->modules = dwunw_context_modules(session->context);
	session->events = ring_buffer__new(fd, on_event, session, NULL);
	return session->events ? 0 : -errno;
}

/*
 * System calls at which the dynamic linker is done mapping, and before which nothing is allocated: glibc sets up the first
 * thread (set_tid_address) between mapping and relocating; malloc begins with the other two.
 */
static bool is_past_mapping(long syscall)
{
	return syscall == SYS_set_tid_address || syscall == SYS_brk || syscall == SYS_getrandom;
}

/* With -c: runs the child until the allocator, and all that is mapped together with it, is there. */
static int run_child_to_allocator(struct session *session)
{
	const struct options *options = &session->options;
	int err;

	for (;;) {
		err = process_refresh(session->modules, session->process, NULL);
		if (!err)
			err = allocator_find(session->pid, session->process, options->object,
					     &session->allocator);
		if (!err && !is_past_mapping(session->child.syscall)) {
			allocator_close(&session->allocator);
			err = -ENOENT;
		}
		if (err != -ENOENT && err != -ENOSYS)
			return err;
		err = child_step(&session->child);
		if (err == 1) {
			message("the command ended before it mapped %s", options->object);
			return -ESRCH;
		}
		if (err)
			return err;
	}
}

static int find_allocator(struct session *session)
{
	const struct options *options = &session->options;
	int err = process_open(session->modules, session->pid, &session->process);

	if (err) {
		explain_process(session, err);
		return err;
	}
	if (session->child.pid)
		err = run_child_to_allocator(session);
	else
		err = allocator_find(session->pid, session->process, options->object,
				     &session->allocator);
	if (err == -ENOENT)
		message("no allocator found in process %d: it has not mapped %s (-O names another "
			"object)",
			session->pid, options->object);
	else if (err == -ENOSYS)
		message("no allocator found in process %d: %s has none of malloc, calloc, realloc, "
			"free, ...",
			session->pid, options->object);
	else if (err == -EPERM || err == -EACCES)
		explain_process(session, err);
	else if (err && err != -ESRCH)
		message("cannot use %s of process %d: %s", options->object, session->pid,
			strerror(-err));
	if (!err && session->allocator.missing[0])
		message("not in %s, so not traced: %s", session->allocator.path,
			session->allocator.missing);
	return err;
}

static int attach_some(struct session *session, struct bpf_program *program, bool is_free,
		       bool is_return)
{
	const struct allocator *allocator = &session->allocator;
	struct probe probes[MEMLEAK_N_FUNCTIONS];
	char path[64];
	size_t n = 0;

	for (size_t i = 0; i < allocator->n_probes; i++) {
		if ((allocator->probes[i].cookie == MEMLEAK_FREE) == is_free)
			probes[n++] = allocator->probes[i];
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", allocator->fd);
	return n ? probe_attach(program, session->pid, path, probes, n, is_return, &session->links)
		 : 0;
}

/* Entry probes last: no call is seen to begin whose end would be missed. */
static int attach(struct session *session)
{
	struct memleak_dwunw_bpf *skel = session->skel;
	char missing[64];
	int err;

	if (shadow_stack_forbids_return_probes(session->pid)) {
		message("process %d has a shadow stack: return probes would kill it on kernels "
			"before 6.11",
			session->pid);
		return -ENOTSUP;
	}
	err = attach_some(session, skel->progs.memleak_exit, false, true);
	if (!err)
		err = attach_some(session, skel->progs.memleak_free, true, false);
	if (!err)
		err = attach_some(session, skel->progs.memleak_enter, false, false);
	if (!err)
		return 0;
	privileges_missing_for_bpf(missing, sizeof(missing));
	message("cannot attach to process %d: %s%s%s", session->pid, strerror(-err),
		missing[0] ? ": missing " : "", missing);
	return err;
}

/* dwunw-added: loads the tables; a second time after attaching, for what was mapped in between */
static int add_process(struct session *session)
{
	int err = session->dwunw ? dwunw_bpf_add_process(session->dwunw, session->pid) : 0;

	if (!err)
		return 0;
	if (err == -EPERM || err == -EACCES)
		message("[dwunw] multi-frame disabled: missing CAP_SYS_PTRACE");
	else
		message("[dwunw] default reader failed (%s); retry without reader", strerror(-err));
	return err;
}

static int open_target(struct session *session)
{
	const struct options *options = &session->options;
	int err;

	session->pid = options->pid;
	if (options->command) {
		err = child_start(options->command, &session->child);
		if (err) {
			message("cannot run '%s': %s", options->command, strerror(-err));
			return err;
		}
		session->pid = session->child.pid;
		printf("child created with pid: %d\n", session->pid);
		fflush(stdout);
	}
	session->pidfd = (int)syscall(SYS_pidfd_open, session->pid, 0);
	if (session->pidfd >= 0)
		return 0;
	err = -errno;
	if (err == -EINVAL || err == -ENOENT) /* a thread's id, in older and in newer kernels */
		message("%d is a thread, not a process: give the pid of its process", session->pid);
	else
		explain_process(session, err);
	return err;
}

static int start(struct session *session)
{
	int err = block_signals(session);

	if (!err)
		err = open_target(session);
	if (!err)
		err = session_load(session);
	if (!err)
		err = create_modules(session);
	if (!err)
		err = find_allocator(session);
	if (!err)
		err = add_process(session); /* dwunw-added */
	if (!err)
		err = attach(session);
	if (!err)
		err = add_process(session); /* dwunw-added */
	if (!err && session->child.pid)
		err = child_release(&session->child);
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
	session->pidfd = session->signals_fd = session->allocator.fd = -1;
	if (start(session)) {
		session_destroy(session);
		return EXIT_FAILURE;
	}
	*ret = session;
	return 0;
}

enum wake { WAKE_TIME, WAKE_SIGNAL, WAKE_ENDED };

/* Handles events until `deadline_ms`, a signal, or the end of the target. */
static enum wake wait_for_report(struct session *session, int64_t deadline_ms)
{
	struct pollfd fds[] = {
		{.fd = session->signals_fd, .events = POLLIN},
		{.fd = session->pidfd, .events = POLLIN},
		{.fd = -1, .events = POLLIN},
	};

	if (session->events)					    /* dwunw-added */
		fds[2].fd = ring_buffer__epoll_fd(session->events); /* dwunw-added */
	for (;;) {
		int64_t left = deadline_ms - monotonic_ms();

		/* also when it is late already: a signal and the end of the target come first */
		poll(fds, 3, left < 0 ? 0 : left > 1000000 ? 1000000 : (int)left);
		if (session->events)			/* dwunw-added */
			session_handle_events(session); /* dwunw-added */
		if (fds[0].revents & POLLIN)
			return WAKE_SIGNAL;
		if (fds[1].revents & (POLLIN | POLLHUP))
			return WAKE_ENDED;
		if (monotonic_ms() >= deadline_ms)
			return WAKE_TIME;
	}
}

static int end_of_target(struct session *session)
{
	if (session->child.pid && child_has_ended(&session->child)) {
		printf("reaped child process\n");
		return EXIT_SUCCESS;
	}
	message("process %d has ended", session->pid);
	return EXIT_FAILURE;
}

int session_run(struct session *session)
{
	const struct options *options = &session->options;
	int64_t next = monotonic_ms();

	printf("Attaching to pid %d, Ctrl+C to quit.\n", session->pid);
	if (session_flush())
		return EXIT_FAILURE;
	if (session_symbols(session))
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
			return end_of_target(session);
	}
	return EXIT_SUCCESS;
}

void session_destroy(struct session *session)
{
	if (!session)
		return;
	probe_detach(&session->links);
	if (session->child.pid)
		child_end(&session->child);
	symbolizer_destroy(session->symbolizer);
	if (session->process)
		process_close(session->modules, session->process);
	allocator_close(&session->allocator);
	if (session->context) {				 /* dwunw-added */
		ring_buffer__free(session->events);	 /* dwunw-added */
		dwunw_bpf_destroy(session->dwunw);	 /* dwunw-added */
		dwunw_context_destroy(session->context); /* dwunw-added */
	} else if (session->modules) {			 /* dwunw-added */
		module_cache_destroy(session->modules);
	} /* dwunw-added */
	memleak_dwunw_bpf__destroy(session->skel);
	if (session->pidfd >= 0)
		close(session->pidfd);
	if (session->signals_fd >= 0)
		close(session->signals_fd);
	free(session);
}
