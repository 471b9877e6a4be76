/* SPDX-License-Identifier: BSD-2-Clause */
/* What the terminal program shows besides the stacks. Private to session*.c. */
#ifndef SESSION_LIVE_FACTS_H
#define SESSION_LIVE_FACTS_H

#include <stddef.h>
#include <stdint.h>

struct growth;
struct report_groups;
struct report_snapshot;
struct session;
struct tui_facts;
struct view;

#define LIVE_MAX_KEPT 8

struct live_facts {
	/* What stacks held at reports of the last minute or so, oldest first: growth is since the first. */
	struct {
		struct growth *growth;
		int64_t at_ms; /* CLOCK_MONOTONIC */
	} kept[LIVE_MAX_KEPT];
	size_t n_kept;
	uint64_t events; /* since the start, as of events_ms */
	int64_t events_ms;
};

void live_facts_free(struct live_facts *facts);

/*
 * After a report: keeps its totals, from which the growth of later ones is counted, and finds what is to be shown. -ENOMEM.
 */
int live_facts_update(struct session *session, struct live_facts *facts,
		      const struct report_snapshot *snapshot, const struct report_groups *groups,
		      struct tui_facts *ret);

/* The file for `w` without --output; the status line after it was written, NULL: those of --output. */
void live_name_file(const struct session *session, const struct view *view, char *ret, size_t size);
void live_tell_written(const struct session *session, const char *path, char *ret, size_t size);

#endif
