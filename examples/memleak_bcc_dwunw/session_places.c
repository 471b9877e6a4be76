/* SPDX-License-Identifier: BSD-2-Clause */
/* Which probes the kernel emulates, and what the others cost, for the user. */
#include <string.h>

#include "memleak_dwunw.skel.h"
#include "message.h"
#include "session_internal.h"

/* At the first time it matters: it takes some tens of milliseconds, for the kernel waits when probes go. */
static void check_kernel(struct session *session)
{
	struct places *places = &session->places;
	const struct placement_check *check = &places->check;

	if (places->checked)
		return;
	places->checked = true;
	places->error = placement_check(session->skel->progs.memleak_nothing, &places->check);
	if (places->error && session->options.verbose)
		message("placement: what this kernel emulates cannot be tried: %s",
			strerror(-places->error));
	else if (!places->error && !check->emulated)
		message("placement: this kernel single-steps instructions that others emulate; a "
			"probe takes about %.0f ns",
			check->stepped_ns);
	else if (!places->error && session->options.verbose)
		message("placement: tried, emulated; an empty probe takes %.0f ns there, %.0f ns "
			"where it is single-stepped",
			check->emulated_ns, check->stepped_ns);
}

static void tell_stepped(const struct places *places, const char *path, const char *which)
{
	if (places->error)
		message("in %s: %s", path, which);
	else
		message("in %s: %s: about %.0f ns more a call", path, which,
			places->check.stepped_ns - places->check.emulated_ns);
}

void session_tell_places(struct session *session, const struct allocator *allocator)
{
	char line[4096];

	allocator_describe_places(allocator, !session->options.verbose, line, sizeof(line));
	if (!line[0])
		return;
	check_kernel(session);
	if (session->options.verbose)
		message("placement in %s: %s", allocator->path, line);
	else
		tell_stepped(&session->places, allocator->path, line);
}
