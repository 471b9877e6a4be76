/* SPDX-License-Identifier: BSD-2-Clause */
/* What is looked at between reports: the total, for --stop-when-leaked and --peak. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "message.h"
#include "session_internal.h"

#define EXIT_LEAK 23 /* --fail-above */

bool session_is_watched(const struct session *session)
{
	return session->options.peak || session->options.stop_when_leaked != UINT64_MAX;
}

/* A peak is of blocks of any age. */
int session_keep_peak(struct session *session, const struct collect_source *source,
		      struct report_snapshot *snapshot, const struct report_options *options)
{
	struct report_options shown = *options;
	struct report_groups groups;
	time_t now = time(NULL);
	struct tm when;
	int err;

	shown.min_age_ns = 0;
	shown.before = NULL;
	err = report_group(snapshot, &shown, &groups);
	if (err)
		return err;
	if (peak_is_new(&session->peak, groups.bytes)) {
		localtime_r(&now, &when);
		err = collect_frames(source, snapshot, &groups, shown.top_stacks);
		if (!err)
			err = peak_keep(&session->peak, snapshot, &groups, &shown, &when);
	}
	report_groups_free(&groups);
	return err;
}

static int look_at_peak(struct session *session, const struct collect_source *source)
{
	const struct report_options options = session_report_options(session);
	struct report_snapshot snapshot;
	int err = collect_blocks(source, &snapshot);

	if (err)
		return err;
	err = session_symbols(session);
	if (!err)
		err = session_keep_peak(session, source, &snapshot, &options);
	collect_free(&snapshot);
	return err;
}

int session_check(struct session *session)
{
	struct collect_target targets[MEMLEAK_MAX_TARGETS];
	struct collect_source source;
	int err;

	session_events_handle(session);
	session_drop_old_mappings(session);
	session_source(session, targets, &source);
	err = collect_total(&source, &session->total);
	if (!err && session->options.peak && peak_is_new(&session->peak, session->total))
		err = look_at_peak(session, &source);
	if (err)
		message("cannot read the outstanding blocks: %s", strerror(-err));
	return err;
}

bool session_has_leaked(const struct session *session)
{
	return session->total >= session->options.stop_when_leaked;
}

int session_end(struct session *session, int status)
{
	if (session->total <= session->options.fail_above)
		return status;
	message("%" PRIu64 " bytes are outstanding at the end: more than the %" PRIu64
		" of --fail-above",
		session->total, session->options.fail_above);
	return EXIT_LEAK;
}
