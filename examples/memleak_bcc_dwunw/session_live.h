/* SPDX-License-Identifier: BSD-2-Clause */
/* --tui in a session: what the terminal program is given, and what its keys do. Private to session*.c. */
#ifndef SESSION_LIVE_H
#define SESSION_LIVE_H

#include <poll.h>
#include <stdbool.h>

struct growth;
struct live;
struct report_groups;
struct report_options;
struct report_snapshot;
struct session;

#define LIVE_N_FDS 2

enum live_wish {
	LIVE_NOTHING,
	LIVE_REPORT, /* new data now */
	LIVE_QUIT,
};

/* Takes the terminal, as session->live; from then on messages are shown there. 0 or, said, a negative errno. */
int live_open(struct session *session);
/* Gives the terminal back, and prints the messages. NULL is fine. */
void live_close(struct session *session);

/* What to wait for besides. */
void live_fds(const struct live *live, struct pollfd fds[LIVE_N_FDS]);
/* Whether or not something is there: keys, a new size. */
enum live_wish live_handle(struct session *session);
/* The user wants to see what is there, and nothing new. */
bool live_is_paused(const struct live *live);

/* Takes snapshot and groups of a report, of which nothing is left then, and shows them. -ENOMEM. */
int live_take(struct session *session, struct report_snapshot *snapshot,
	      struct report_groups *groups, const struct report_options *options);
/* What its growth is to be counted from; NULL: nothing yet. */
const struct growth *live_growth_base(const struct live *live);
/* How far away the next report is: said if that is long. */
void live_tell_schedule(struct session *session, double s);
/* All targets have ended: what is there stays on the screen, and says so. */
void live_end(struct session *session);

#endif
