/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of a session; private to session*.c. */
#ifndef SESSION_INTERNAL_H
#define SESSION_INTERNAL_H

#include <stdbool.h>

#include <dwunw/dwunw.h> /* dwunw-added */

#include "allocator.h"
#include "bpf/probe.h"
#include "child.h"
#include "collect.h"
#include "memleak_dwunw_events.h"
#include "options.h"
#include "session.h"

struct memleak_dwunw_bpf;
struct module_cache;
struct process;
struct ring_buffer;
struct symbolizer;

/* A process that is traced. Its place in session.targets is its number for the kernel side. */
struct target {
	pid_t pid;
	int pidfd;
	bool ended, told; /* it has ended; and that was said */
	struct probe_links links;
	struct allocator allocator;
	struct process *process;
	struct symbolizer *symbolizer;
};

struct session {
	struct options options;
	struct target targets[MEMLEAK_MAX_TARGETS];
	unsigned int n_targets, n_ended;
	int signals_fd;
	struct child child; /* with -c; pid 0: none */
	struct memleak_dwunw_bpf *skel;
	struct module_cache *modules;
	uint64_t told_counts[MEMLEAK_N_COUNTS]; /* as of the last report */
	struct dwunw_context *context;		/* dwunw-added */
	struct dwunw_bpf *dwunw;		/* dwunw-added */
	int64_t events_deadline_ms;		/* dwunw-added */
	struct ring_buffer *events;		/* dwunw-added */
	struct dwunw_bpf_stats told_stats;	/* dwunw-added: as of the last report */
};

/* Opens and loads the BPF object; 0 or, the reason printed, a negative errno. */
int session_load(struct session *session);

/* dwunw-added: handles the records that are there, for a limited time */
void session_handle_events(struct session *session);

/*
 * Steps of tracing a process, in this order; 0 or, the reason printed, a negative errno. Only an opened target is to be closed.
 */
int target_open(struct target *target, pid_t pid);
int target_find_allocator(struct session *session, struct target *target);
/* dwunw-added: loads the tables; a second time after attaching, for what was mapped in between */
int target_add(struct session *session, struct target *target);
int target_attach(const struct session *session, struct target *target);
/* Opens the files that names come from, while the process lives. */
int target_symbols(struct session *session, struct target *target);
void target_close(struct session *session, struct target *target);

/* Hands stdout to the kernel; -EIO, the reason printed, where it does not take it. */
int session_flush(void);

/* Prints one report. */
int session_report(struct session *session);

#endif
