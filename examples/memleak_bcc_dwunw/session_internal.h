/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of a session; private to session*.c. */
#ifndef SESSION_INTERNAL_H
#define SESSION_INTERNAL_H

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

struct session {
	struct options options;
	pid_t pid;
	int pidfd;
	int signals_fd;
	char comm[16];
	struct child child; /* with -c; pid 0: none */
	struct memleak_dwunw_bpf *skel;
	struct probe_links links;
	struct allocator allocator;
	struct module_cache *modules;
	struct process *process;
	struct symbolizer *symbolizer;
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

/* Opens the files that names come from, while the process lives. */
int session_symbols(struct session *session);

/* Hands stdout to the kernel; -EIO, the reason printed, where it does not take it. */
int session_flush(void);

/* Prints one report. */
int session_report(struct session *session);

#endif
