/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "mappings_ledger.h"
#include "memleak_dwunw.skel.h"
#include "message.h"
#include "privileges.h"
#include "progress.h"
#include "process/process.h"
#include "reader.h"
#include "session_internal.h"
#include "shadow_stack.h"
#include "symbolize/naming.h"
#include "symbolize/symbolize.h"

bool target_has_gone(const struct target *target, int err)
{
	struct pollfd fd = {.fd = target->pidfd, .events = POLLIN};

	return target->is_child && (err == -ESRCH || err == -ENOENT || poll(&fd, 1, 0) > 0);
}

bool target_waits(const struct target *target)
{
	return target->pid && target->is_child && !target->allocators.n;
}

/* The process's mappings could not be read: says why. */
void target_explain(const struct target *target, int err)
{
	char missing[PRIVILEGES_TEXT];

	if (target_has_gone(target, err))
		return;
	privileges_missing_for_process(missing, sizeof(missing));
	if (err == -ESRCH || err == -ENOENT)
		message("no process with pid %d", target->pid);
	else if (missing[0])
		message("not permitted to read process %d: missing %s", target->pid, missing);
	else
		message("cannot read process %d: %s", target->pid, strerror(-err));
}

void target_links(struct target *target, struct probe_links *all)
{
	probe_links_move(&target->call_links, all);
	probe_links_move(&target->free_links, all);
	probe_links_move(&target->links, all);
}

void target_detach(struct target *target)
{
	struct probe_links all = {};

	target_links(target, &all);
	probe_detach_together(&all);
}

int target_attach(const struct session *session, struct target *target)
{
	struct memleak_dwunw_bpf *skel = session->skel;
	char missing[PRIVILEGES_TEXT];
	int err;

	if (shadow_stack_forbids_return_probes(target->pid)) {
		message("process %d has a shadow stack: return probes would kill it on kernels "
			"before 6.11",
			target->pid);
		return -ENOTSUP;
	}
	err = target_attach_allocators(session, target);
	if (!err || target_has_gone(target, err))
		return err;
	privileges_missing_to_attach(bpf_program__expected_attach_type(skel->progs.memleak_enter) ==
					     BPF_TRACE_UPROBE_MULTI,
				     missing, sizeof(missing));
	message("cannot attach to process %d: %s%s%s", target->pid, strerror(-err),
		missing[0] ? ": missing " : "", missing);
	return err;
}

/* dwunw-added begin: loads the tables; a second time after attaching, for what was mapped in between */
int target_add(struct session *session, struct target *target)
{
	enum options_mode mode = session->options.mode;
	int err;

	if (!session->dwunw)
		return 0;
	progress_begin("loading unwind tables", "files");
	err = dwunw_bpf_add_process(session->dwunw, target->pid);
	progress_end();
	if (!err)
		err = reader_check_files(target->process, mode);
	else if (err == -ESRCH || target_has_gone(target, err))
		target_explain(target, err);
	else
		reader_tell_failure(target->pid, mode, err);
	return mode == OPTIONS_MODE_FORCE || err == -ESRCH ? err : 0;
}
/* dwunw-added end */

int target_open(struct target *target, pid_t pid)
{
	int err;

	*target = (struct target){.pid = pid};
	target->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (target->pidfd >= 0)
		return 0;
	err = -errno;
	if (err == -EINVAL || err == -ENOENT) /* a thread's id, in older and in newer kernels */
		message("%d is a thread, not a process: give the pid of its process", pid);
	else
		target_explain(target, err);
	return err;
}

static void tell_line(const char *line)
{
	message("%s", line);
}

/* For all targets. */
static int create_naming(struct session *session)
{
	const struct options *options = &session->options;
	const char *urls = getenv("DEBUGINFOD_URLS");
	const struct symbolizer_options how = {
		.no_inlines = options->no_inlines,
		.no_lines = options->no_lines,
		.no_demangle = options->no_demangle,
		.short_names = options->short_names,
		.source_prefixes = options->source_prefixes,
		.n_source_prefixes = options->n_source_prefixes,
		.debug_root = options->debug_dir,
		.debuginfod = options->debuginfod ? options->debuginfod
			      : urls && urls[0]	  ? urls
						  : NULL,
		.tell = tell_line,
		.progress = progress_is_told() ? progress_say : NULL,
	};

	return naming_create(&how, &session->naming);
}

/* Names of what was mapped since the last time; the old ones stay when the process has gone. */
int target_symbols(struct session *session, struct target *target)
{
	/* before what it has mapped, so that names of a later image are not taken for its own */
	uint64_t image = session->skel->bss->target_images[target - session->targets];
	bool changed = false;
	int err, gone;

	if (!target->process)
		return 0;
	gone = process_refresh(session->modules, target->process, &changed);
	if (!gone && changed)
		target_attach_new_allocators(session, target);
	if (session->dwunw && changed)					    /* dwunw-added */
		reader_check_files(target->process, session->options.mode); /* dwunw-added */
	if (!target->symbolizer) {
		err = session->naming ? 0 : create_naming(session);
		if (!err)
			err = symbolizer_create(target->process, session->naming,
						&target->symbolizer);
	} else {
		err = changed ? symbolizer_refresh(target->symbolizer, target->process) : 0;
	}
	if (!err && !gone)
		target->named_image = image;
	return err;
}

int target_trace(struct session *session, struct target *target)
{
	int err = target_find_allocators(session, target);

	if (!err)				   /* dwunw-added */
		err = target_add(session, target); /* dwunw-added */
	if (!err)
		err = target_attach(session, target);
	if (!err)				   /* dwunw-added */
		err = target_add(session, target); /* dwunw-added */
	return err;
}

void target_close(struct session *session, struct target *target)
{
	if (session->dwunw)					       /* dwunw-added */
		dwunw_bpf_remove_process(session->dwunw, target->pid); /* dwunw-added */
	target_detach(target);
	symbolizer_destroy(target->symbolizer);
	if (target->process)
		process_close(session->modules, target->process);
	allocators_close(&target->allocators);
	mappings_ledger_destroy(target->mappings);
	if (target->pidfd >= 0)
		close(target->pidfd);
	*target = (struct target){.pidfd = -1};
}
