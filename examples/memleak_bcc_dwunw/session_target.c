/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "load_format.h"
#include "memleak_dwunw.skel.h"
#include "message.h"
#include "privileges.h"
#include "process/process.h"
#include "reader.h"
#include "session_internal.h"
#include "shadow_stack.h"
#include "symbolize/symbolize.h"

/* The process's mappings could not be read: says why. */
static void explain_process(const struct target *target, int err)
{
	char missing[PRIVILEGES_TEXT];

	privileges_missing_for_process(missing, sizeof(missing));
	if (err == -ESRCH || err == -ENOENT)
		message("no process with pid %d", target->pid);
	else if (missing[0])
		message("not permitted to read process %d: missing %s", target->pid, missing);
	else
		message("cannot read process %d: %s", target->pid, strerror(-err));
}

/* The file of the allocator may not be opened. */
static void explain_file(const struct target *target, const char *object, int err)
{
	const struct mapping *mapping = allocator_mapping(target->process, object);
	char missing[PRIVILEGES_TEXT];

	privileges_missing_for_file(target->pid, mapping && mapping->deleted, missing,
				    sizeof(missing));
	message("cannot open %s of process %d: %s%s%s", mapping ? mapping->path : object,
		target->pid, strerror(-err), missing[0] ? ": missing " : "", missing);
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
static int run_child_to_allocator(struct session *session, struct target *target)
{
	const struct options *options = &session->options;
	int err;

	for (;;) {
		err = process_refresh(session->modules, target->process, NULL);
		if (!err)
			err = allocator_find(target->pid, target->process, options->object,
					     &target->allocator);
		if (!err && !is_past_mapping(session->child.syscall)) {
			allocator_close(&target->allocator);
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

/* The allocator of a process that may not be read. */
static int guess_allocator(const struct session *session, struct target *target)
{
	const char *object = session->options.object;
	int err = allocator_find_unread(session->modules, object, &target->allocator);

	if (!err)
		message("traced is %s, if process %d uses it; its frames have no names",
			target->allocator.path, target->pid);
	else if (err == -ENOENT && object[0] != '/')
		message("no allocator: where process %d has %s is not known; -O takes a path",
			target->pid, object);
	else
		message("cannot use %s: %s", object, strerror(-err));
	return err;
}

/* The object is not mapped; names one that has an allocator: a static program itself, musl. */
static void explain_object(const struct target *target, const char *object)
{
	const char *other = allocator_propose(target->process);

	if (other)
		message("no allocator found in process %d: it has not mapped %s; try -O %s, which "
			"has a malloc",
			target->pid, object, other);
	else
		message("no allocator found in process %d: it has not mapped %s (-O names another "
			"object)",
			target->pid, object);
}

int target_find_allocator(struct session *session, struct target *target)
{
	const struct options *options = &session->options;
	int err;

	if (target->denied)
		return guess_allocator(session, target);
	err = process_open(session->modules, target->pid, &target->process);
	if (err) {
		explain_process(target, err);
		return err;
	}
	if (session->child.pid && target->pid == session->child.pid && !session->child_runs)
		err = run_child_to_allocator(session, target);
	else
		err = allocator_find(target->pid, target->process, options->object,
				     &target->allocator);
	if (err == -ENOENT)
		explain_object(target, options->object);
	else if (err == -ENOSYS)
		message("no allocator found in process %d: %s has none of malloc, calloc, realloc, "
			"free, ...",
			target->pid, options->object);
	else if (err == -EPERM || err == -EACCES)
		explain_file(target, options->object, err);
	else if (err && err != -ESRCH)
		message("cannot use %s of process %d: %s", options->object, target->pid,
			strerror(-err));
	if (!err && target->allocator.missing[0] && !target->is_child)
		message("not in %s, so not traced: %s", target->allocator.path,
			target->allocator.missing);
	return err;
}

/* Which functions; with --max-overhead they have links of their own. */
enum group { ALL, STAY, GO_WITH_FREES, GO };

static enum group group_of(unsigned int function)
{
	return memleak_only_allocates(function) ? GO
	       : memleak_frees(function)	? GO_WITH_FREES
						: STAY;
}

static struct probe_links *links_of(struct target *target, enum group group)
{
	return group == GO		? &target->call_links
	       : group == GO_WITH_FREES ? &target->free_links
					: &target->links;
}

static int attach_some(const struct session *session, struct target *target,
		       struct bpf_program *program, enum group group, bool is_free, bool is_return)
{
	const struct allocator *allocator = &target->allocator;
	struct probe probes[MEMLEAK_N_FUNCTIONS];
	char path[64];
	size_t n = 0;

	for (size_t i = 0; i < allocator->n_probes; i++) {
		if ((allocator->probes[i].cookie == MEMLEAK_FREE) == is_free &&
		    (group == ALL || group == group_of((unsigned int)allocator->probes[i].cookie)))
			probes[n++] = allocator->probes[i];
	}
	for (size_t i = 0; i < n; i++)
		probes[i].cookie |= (unsigned long long)(target - session->targets)
				    << MEMLEAK_COOKIE_SHIFT;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", allocator->fd);
	return n ? probe_attach(program, target->pid, path, probes, n, is_return,
				links_of(target, group))
		 : 0;
}

/* Entry probes last: no call is seen to begin whose end would be missed. */
static int attach_group(const struct session *session, struct target *target, enum group group)
{
	struct memleak_dwunw_bpf *skel = session->skel;
	int err = attach_some(session, target, skel->progs.memleak_exit, group, false, true);

	if (!err)
		err = attach_some(session, target, skel->progs.memleak_free, group, true, false);
	if (!err)
		err = attach_some(session, target, skel->progs.memleak_enter, group, false, false);
	return err;
}

int target_attach_again(const struct session *session, struct target *target)
{
	int err = 0;

	for (enum group group = STAY; group <= GO && !err; group++)
		if (!links_of(target, group)->n)
			err = attach_group(session, target, group);
	return err;
}

void target_detach(struct target *target)
{
	probe_detach(&target->call_links);
	probe_detach(&target->free_links);
	probe_detach(&target->links);
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
	err = session->options.max_overhead ? target_attach_again(session, target)
					    : attach_group(session, target, ALL);
	if (!err)
		return 0;
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
	err = dwunw_bpf_add_process(session->dwunw, target->pid);
	if (!err)
		err = reader_check_files(target->process, mode);
	else if (err == -ESRCH)
		explain_process(target, err);
	else
		reader_tell_failure(target->pid, mode, err);
	return mode == OPTIONS_MODE_FORCE || err == -ESRCH ? err : 0;
}
/* dwunw-added end */

int target_open(struct target *target, pid_t pid)
{
	int err;

	*target = (struct target){.pid = pid, .allocator = {.fd = -1}};
	target->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (target->pidfd >= 0)
		return 0;
	err = -errno;
	if (err == -EINVAL || err == -ENOENT) /* a thread's id, in older and in newer kernels */
		message("%d is a thread, not a process: give the pid of its process", pid);
	else
		explain_process(target, err);
	return err;
}

/* Names of what was mapped since the last time; the old ones stay when the process has gone. */
int target_symbols(struct session *session, struct target *target)
{
	bool changed = false;
	int err;

	if (!target->process)
		return 0;
	err = process_refresh(session->modules, target->process, &changed);
	if (session->dwunw && changed)					    /* dwunw-added */
		reader_check_files(target->process, session->options.mode); /* dwunw-added */
	if (!target->symbolizer)
		return symbolizer_create(target->process, &target->symbolizer);
	if (err || !changed)
		return 0;
	return symbolizer_refresh(target->symbolizer, target->process);
}

int target_trace(struct session *session, struct target *target)
{
	int err = target_find_allocator(session, target);

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
	allocator_close(&target->allocator);
	if (target->pidfd >= 0)
		close(target->pidfd);
	*target = (struct target){.pidfd = -1, .allocator = {.fd = -1}};
}
