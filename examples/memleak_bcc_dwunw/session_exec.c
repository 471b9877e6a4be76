/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * With -c, a command that calls exec (env, a shell's `exec`) is stopped there by the kernel side, so that the new image is traced from its
 * first allocation, as the first one was. Other processes are never stopped. Their probes stay where the first thread calls exec; where another one does,
 * the time until there are new ones is a gap.
 */
#include <inttypes.h>
#include <signal.h>

#include "allocator.h"
#include "clock.h"
#include "memleak_dwunw.skel.h"
#include "message.h"
#include "session_internal.h"

/* Its thread group is known to the kernel side before it has allocated. */
void session_stop_child_at_exec(struct session *session)
{
	struct memleak_dwunw_bpf *skel = session->skel;

	if (!session->child.pid || session->targets[0].denied)
		return;
	if (skel->rodata->pidns_ino)
		skel->bss->target_pids[0] = (__u32)session->child.pid;
	else
		skel->bss->target_tgids[0] = (__u32)session->child.pid;
	skel->bss->exec_signal = SIGSTOP;
}

static int trace_anew(struct session *session, struct target *target)
{
	/* dwunw-added begin: that this is another image, and the old one's stacks while their files are known */
	if (session->events)
		session_catch_up(session);
	/* dwunw-added end */
	target_detach(target);
	allocators_close(&target->allocators);
	target->n_attached = 0;
	return target_trace(session, target);
}

/* That it cannot be traced any more is said, and no reason to end. */
void session_child_execs(struct session *session)
{
	if (child_catch(&session->child))
		return;
	session->child_runs = false;
	trace_anew(session, &session->targets[0]);
	child_release(&session->child);
	session->child_runs = true;
}

void session_note_exec_by_thread(struct session *session,
				 const struct memleak_exec_by_thread *event)
{
	const struct memleak_dwunw_bpf *skel = session->skel;

	for (unsigned int i = 0; i < session->n_targets; i++) {
		struct target *target = &session->targets[i];
		bool is_stopped = i == 0 && skel->bss->exec_signal;

		if (target->pid && skel->bss->target_tgids[i] == event->tgid && !is_stopped &&
		    !target->probes_gone_ns)
			target->probes_gone_ns = event->time_ns;
	}
}

void session_attach_again(struct session *session)
{
	for (unsigned int i = 0; i < session->n_targets; i++) {
		struct target *target = &session->targets[i];
		uint64_t since_ns = target->probes_gone_ns;

		target->probes_gone_ns = 0;
		if (!since_ns || !target->pid || target->denied || target->ended ||
		    trace_anew(session, target))
			continue;
		message("a thread of process %d called exec; what the process allocated in the "
			"%" PRIu64 " ms until it was traced again was not seen",
			target->pid, (monotonic_ns() - since_ns) / 1000000 + 1);
	}
}
