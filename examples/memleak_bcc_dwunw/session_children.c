/* SPDX-License-Identifier: BSD-2-Clause */
/* --follow-forks: a child of a target becomes a target, in the place of one that has ended or in a new one. */
#include <errno.h>
#include <inttypes.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "clock.h"
#include "memleak_dwunw.skel.h"
#include "message.h"
#include "session_internal.h"

/* For a new program to map its allocator; later than that, it is seen when its mappings change. */
#define MAX_WAIT_NS 1000000000

static struct target *free_place(struct session *session)
{
	for (unsigned int i = 0; i < session->n_targets; i++)
		if (!session->targets[i].pid)
			return &session->targets[i];
	if (session->n_targets == MEMLEAK_MAX_TARGETS)
		return NULL;
	return &session->targets[session->n_targets++];
}

static void follow(struct session *session, const struct memleak_child *child, int pidfd)
{
	struct children *children = &session->children;
	struct target *target = free_place(session);

	if (!target) {
		children->too_many++;
		close(pidfd);
		return;
	}
	*target = (struct target){
		.pid = (pid_t)child->pid,
		.pidfd = pidfd,
		.is_child = true,
		.parent = child->parent,
		.forked_ns = child->by_exec ? 0 : child->time_ns,
		.started_ns = child->time_ns,
	};
	/* Before there are probes: while it shares memory with another process, those of both see the other's calls. */
	session->skel->bss->target_images[target - session->targets] = 0;
	session->skel->bss->target_tgids[target - session->targets] = child->tgid;
	if (target_trace(session, target) || target_symbols(session, target)) {
		/* why was said, unless it is gone */
		children->too_short += target_has_gone(target, 0);
		session->skel->bss->target_tgids[target - session->targets] = 0;
		target_close(session, target);
		return;
	}
	if (target->allocators.n && !target->followed)
		children_probed(session, target);
}

void children_probed(struct session *session, struct target *target)
{
	struct children *children = &session->children;
	uint64_t gap_ns = monotonic_ns() - target->started_ns;

	if (gap_ns > children->gap_ns)
		children->gap_ns = gap_ns;
	children->followed++;
	target->followed = true;
}

bool children_wait_for_allocator(const struct session *session)
{
	uint64_t now = monotonic_ns();

	for (unsigned int i = 0; i < session->n_targets; i++) {
		const struct target *target = &session->targets[i];

		if (target_waits(target) && !target->ended &&
		    now - target->started_ns < MAX_WAIT_NS)
			return true;
	}
	return false;
}

/* Of those that have come to no allocator: whether they had the time. */
static void tell_without_allocator(struct session *session)
{
	for (unsigned int i = 0; i < session->n_targets; i++) {
		struct target *target = &session->targets[i];

		if (!target_waits(target) || target->told_nothing)
			continue;
		target->told_nothing =
			target->ended || monotonic_ns() - target->started_ns >= MAX_WAIT_NS;
		if (target->ended)
			session->children.too_short++;
		else if (target->told_nothing)
			target_explain_nothing_found(session, target);
	}
}

void children_handle(struct session *session, const struct memleak_child *child)
{
	int pidfd = -1;

	if (child->pid)
		pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
	if (pidfd < 0)
		session->children.too_short++;
	else
		follow(session, child, pidfd);
}

int children_start(struct session *session)
{
	/* a child, or an exec, is known also before its parent's first call */
	for (unsigned int i = 0; i < session->n_targets; i++) {
		__u32 *numbers = session->skel->rodata->pidns_ino
					 ? session->skel->bss->target_pids
					 : session->skel->bss->target_tgids;

		numbers[i] = (__u32)session->targets[i].pid;
	}
	if (!session->options.follow_forks)
		return 0;
	session->skel->links.memleak_fork = bpf_program__attach(session->skel->progs.memleak_fork);
	return session->skel->links.memleak_fork ? 0 : -errno;
}

bool children_are_new(const struct session *session)
{
	for (unsigned int i = 0; i < session->n_targets; i++) {
		const struct target *target = &session->targets[i];

		if (target->pid && target->is_child && !target->inherited_told)
			return true;
	}
	return false;
}

static void tell_inherited(struct session *session, const struct collect_target *targets)
{
	for (unsigned int i = 0; i < session->n_targets; i++) {
		struct target *target = &session->targets[i];

		if (!target->pid || !target->is_child || target->inherited_told)
			continue;
		target->inherited_told = true;
		if (targets[i].inherited_blocks)
			message("process %d began with %" PRIu64 " bytes in %" PRIu64
				" allocations of process %d, which still holds them",
				target->pid, targets[i].inherited_bytes,
				targets[i].inherited_blocks, session->targets[target->parent].pid);
	}
}

void children_tell(struct session *session, const struct collect_target *targets)
{
	const struct children *now = &session->children;
	struct children *told = &session->told_children;

	tell_inherited(session, targets);
	tell_without_allocator(session);
	if (now->followed != told->followed)
		message("%" PRIu64 " children followed; what they allocated in their first %" PRIu64
			" ms at most was not seen",
			now->followed, now->gap_ns / 1000000 + 1);
	if (now->too_short != told->too_short)
		message("%" PRIu64 " children ended before they could be followed", now->too_short);
	if (now->too_many != told->too_many)
		message("%" PRIu64 " children not followed: %d processes are traced already",
			now->too_many, MEMLEAK_MAX_TARGETS);
	*told = *now;
}

void children_release(struct session *session)
{
	for (unsigned int i = 0; i < session->n_targets; i++) {
		struct target *target = &session->targets[i];

		if (target->pid && target->is_child && target->told) {
			session->skel->bss->target_tgids[i] = 0;
			target_close(session, target);
		}
	}
}
