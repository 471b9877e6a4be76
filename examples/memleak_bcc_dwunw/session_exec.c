/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * With -c, a command that calls exec (env, a shell's `exec`) is stopped there by the kernel side, so that the new image is traced from its
 * first allocation, as the first one was. Of other processes the time until then is a gap: they are never stopped.
 */
#include <signal.h>

#include "allocator.h"
#include "memleak_dwunw.skel.h"
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

/* That it cannot be traced any more is said, and no reason to end. */
void session_child_execs(struct session *session)
{
	struct target *target = &session->targets[0];

	if (child_catch(&session->child))
		return;
	/* dwunw-added begin: that this is another image, and the old one's stacks while their files are known */
	if (session->events)
		session_handle_all_events(session);
	/* dwunw-added end */
	target_detach(target);
	allocators_close(&target->allocators);
	target->n_attached = 0;
	session->child_runs = false;
	target_trace(session, target);
	child_release(&session->child);
	session->child_runs = true;
}
