/* SPDX-License-Identifier: BSD-2-Clause */
/* One run of the tool: target, BPF programs, probes, reports. */
#ifndef SESSION_H
#define SESSION_H

struct options;
struct session;

/*
 * Finds or starts the target, loads and attaches everything. On failure the reason has been printed, the target runs on (a child is
 * ended) and the return value is the exit status; 0: started.
 */
int session_start(const struct options *options, struct session **ret);

/* Prints reports until the time is over, a signal comes or the target ends. Returns the exit status. */
int session_run(struct session *session);

/* Detaches and frees; ends a child that still runs. NULL is allowed. */
void session_destroy(struct session *session);

#endif
