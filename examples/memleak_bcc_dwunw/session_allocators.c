/* SPDX-License-Identifier: BSD-2-Clause */
/* The allocators of a target: found, told of, probed; those that are mapped later too. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include <bpf/libbpf.h>

#include "load_format.h"
#include "memleak_dwunw.skel.h"
#include "message.h"
#include "privileges.h"
#include "process/process.h"
#include "session_internal.h"

/* The file of the allocator, NULL: any, may not be opened. */
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
 * thread (set_tid_address) between mapping and relocating; malloc begins with the other two, which the linker calls as well.
 */
static bool is_past_mapping(const struct target *target, long syscall)
{
	if (syscall == SYS_set_tid_address)
		return true;
	return (syscall == SYS_brk || syscall == SYS_getrandom) &&
	       allocator_libraries_are_mapped(target->process);
}

static int find_allocators(const struct session *session, struct target *target)
{
	const struct options *options = &session->options;

	return options->object ? allocator_find(target->pid, target->process, options->object,
						options->symbols_prefix, &target->allocators)
			       : allocator_find_all(target->pid, target->process,
						    options->symbols_prefix, &target->allocators);
}

/* With -c: runs the child until the allocator, and all that is mapped together with it, is there. */
static int run_child_to_allocator(struct session *session, struct target *target)
{
	const char *object = session->options.object, *prefix = session->options.symbols_prefix;
	int err;

	for (;;) {
		err = process_refresh(session->modules, target->process, NULL);
		if (!err)
			err = is_past_mapping(target, session->child.syscall)
				      ? find_allocators(session, target)
				      : -ENOENT;
		if (err != -ENOENT)
			return err;
		err = child_step(&session->child);
		if (err == 1) {
			message("the command ended before it mapped %s%s%s",
				object ? object : "an allocator",
				!object && prefix[0] ? " whose functions begin with " : "",
				object ? "" : prefix);
			return -ESRCH;
		}
		if (err)
			return err;
	}
}

/* The allocator of a process that may not be read. */
static int guess_allocator(const struct session *session, struct target *target)
{
	const char *object = session->options.object ? session->options.object : "libc.so.6";
	int err = allocator_find_unread(session->modules, object, session->options.symbols_prefix,
					&target->allocators);

	if (!err)
		message("traced is %s, if process %d uses it; its frames have no names",
			target->allocators.list[0].path, target->pid);
	else if (err == -ENOENT && object[0] != '/')
		message("no allocator: where process %d has %s is not known; -O takes a path",
			target->pid, object);
	else
		message("cannot use %s: %s", object, strerror(-err));
	return err;
}

void target_explain_nothing_found(const struct session *session, const struct target *target)
{
	const struct options *options = &session->options;
	const char *prefix = options->symbols_prefix;

	if (options->object)
		message("no allocator found in process %d: it has not mapped %s", target->pid,
			options->object);
	else if (prefix[0])
		message("no allocator found in process %d: no file that it has mapped defines "
			"%smalloc and %sfree",
			target->pid, prefix, prefix);
	else
		message("no allocator found in process %d: no file that it has mapped defines "
			"malloc (looked for: glibc, musl, jemalloc, tcmalloc, mimalloc, others by "
			"this name; je_malloc, _rjem_malloc, tc_malloc, mi_malloc); a static "
			"program "
			"needs its symbols; -S gives another prefix",
			target->pid);
}

static void explain_allocator(const struct session *session, const struct target *target, int err)
{
	const struct options *options = &session->options;

	if (err == -ENOENT)
		target_explain_nothing_found(session, target);
	else if (err == -ENOSYS)
		message("no allocator found in process %d: %s has none of %smalloc, calloc, "
			"realloc, free, ...",
			target->pid, options->object, options->symbols_prefix);
	else if (err == -EPERM || err == -EACCES)
		explain_file(target, options->object, err);
	else if (err != -ESRCH)
		message("cannot use %s of process %d: %s",
			options->object ? options->object : "the allocators", target->pid,
			strerror(-err));
}

/* Which ones were found, from number `first` on, unless it is glibc alone; what the object of -O lacks. */
static void tell_allocators(struct session *session, const struct target *target, size_t first)
{
	const struct allocators *allocators = &target->allocators;
	const struct options *options = &session->options;
	bool is_plain = allocators->n == 1 && !strcmp(allocators->list[0].maker, "glibc");
	char line[4096];

	if (target->is_child && !options->verbose)
		return;
	if (options->verbose || (!is_plain && !options->object)) {
		allocators_describe(allocators, first, line, sizeof(line));
		message("process %d: probing %s", target->pid, line);
	}
	for (size_t i = first; i < allocators->n; i++) {
		const struct allocator *allocator = &allocators->list[i];

		if (allocator->maker && allocator->missing[0] &&
		    (options->verbose || options->object))
			message("not in %s, so not traced: %s", allocator->path,
				allocator->missing);
		if (allocator->untraceable[0])
			message("not traced, because where they return was not found in %s: %s",
				allocator->path, allocator->untraceable);
		session_tell_places(session, allocator);
	}
}

int target_find_allocators(struct session *session, struct target *target)
{
	int err;

	/* a stack by frame pointers is taken where the block is seen: right before the return, where they are the caller's */
	target->allocators.at_returns = session->options.mode == OPTIONS_MODE_OFF;
	if (target->denied)
		return guess_allocator(session, target);
	err = target->process ? process_refresh(session->modules, target->process, NULL)
			      : process_open(session->modules, target->pid, &target->process);
	if (err) {
		target_explain(target, err);
		return err;
	}
	if (session->child.pid && target->pid == session->child.pid && !session->child_runs)
		err = run_child_to_allocator(session, target);
	else
		err = find_allocators(session, target);
	if (err == -ENOENT && target->is_child) /* it may be about to map one */
		return 0;
	if (!err)
		tell_allocators(session, target, 0);
	else if (!target_has_gone(target, 0))
		explain_allocator(session, target, err);
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

static int attach_role(const struct session *session, struct target *target,
		       const struct allocator *allocator, enum group group,
		       struct bpf_program *program, enum allocator_role role, bool is_return)
{
	struct probe probes[ALLOCATOR_MAX_PROBES];
	char path[64];
	size_t n = 0;

	for (size_t i = 0; i < allocator->n_probes; i++) {
		if (allocator->roles[i] == role &&
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
static int attach_group(const struct session *session, struct target *target, enum group group,
			size_t first)
{
	const struct memleak_dwunw_bpf *skel = session->skel;
	const struct {
		struct bpf_program *program;
		enum allocator_role role;
		bool is_return;
	} steps[] = {
		{skel->progs.memleak_exit, ALLOCATOR_CALL, true},
		{skel->progs.memleak_exit, ALLOCATOR_MAPPING, true},
		{skel->progs.memleak_return, ALLOCATOR_NEW_RETURN, false},
		{skel->progs.memleak_gate, ALLOCATOR_NEW_GATE, false},
		{skel->progs.memleak_throw, ALLOCATOR_THROW, false},
		{skel->progs.memleak_free, ALLOCATOR_FREE, false},
		{skel->progs.memleak_free_moved, ALLOCATOR_FREE_MOVED, false},
		{skel->progs.memleak_enter, ALLOCATOR_NEW, false},
		{skel->progs.memleak_enter, ALLOCATOR_MAPPING, false},
		{skel->progs.memleak_enter, ALLOCATOR_CALL, false},
	};
	const struct allocators *allocators = &target->allocators;

	for (size_t step = 0; step < sizeof(steps) / sizeof(steps[0]); step++) {
		for (size_t i = first; i < allocators->n; i++) {
			int err = attach_role(session, target, &allocators->list[i], group,
					      steps[step].program, steps[step].role,
					      steps[step].is_return);

			if (err)
				return err;
		}
	}
	return 0;
}

int target_attach_allocators(const struct session *session, struct target *target)
{
	size_t first = target->n_attached;
	int err;

	if (session->options.max_overhead) {
		err = attach_group(session, target, STAY, first);
		if (!err && !session->leash.frees_away)
			err = attach_group(session, target, GO_WITH_FREES, first);
		if (!err && !session->leash.away)
			err = attach_group(session, target, GO, first);
	} else {
		err = attach_group(session, target, ALL, first);
	}
	if (!err)
		target->n_attached = target->allocators.n;
	return err;
}

int target_attach_again(const struct session *session, struct target *target)
{
	int err = 0;

	for (enum group group = GO_WITH_FREES; group <= GO && !err; group++)
		if (!links_of(target, group)->n)
			err = attach_group(session, target, group, 0);
	return err;
}

/* What was mapped since the last time may be an allocator. That it cannot be probed is no reason to end. */
void target_attach_new_allocators(struct session *session, struct target *target)
{
	size_t before = target->allocators.n;
	bool waited = target_waits(target);

	if ((session->options.object && !waited) || find_allocators(session, target))
		return;
	if (target->allocators.n == before) /* none */
		return;
	tell_allocators(session, target, before);
	if (target_attach(session, target) == 0) {
		if (waited)
			children_probed(session, target);
		else
			message("process %d: mapped while it was traced: what was allocated there "
				"before is not known",
				target->pid);
	}
	target->n_attached = target->allocators.n;
}
