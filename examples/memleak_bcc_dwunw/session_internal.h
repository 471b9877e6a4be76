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
#include "peak.h"
#include "placement_check.h"
#include "sampling.h"
#include "session.h"
#include "session_overhead.h"

struct growth;
struct history;
struct kernel;
struct live;
struct memleak_dwunw_bpf;
struct mappings_ledger;
struct memleak_recent;
struct module_cache;
struct naming;
struct outputs;
struct process;
struct ring_buffer;
struct view;
struct symbolizer;

/* A process that is traced. Its place in session.targets is its number for the kernel side. */
struct target {
	pid_t pid;     /* 0: a free place */
	char comm[16]; /* when a file of a report was last written */
	int pidfd;
	bool ended, told; /* it has ended; and that was said */
	bool is_child;	  /* that was followed */
	bool inherited_told;
	bool followed;	   /* a child whose allocator is probed */
	bool told_nothing; /* that it has none, or ended before it had */
	uint64_t
		probes_gone_ns; /* CLOCK_MONOTONIC: since when, by exec of another thread than the first; 0: they are there */
	unsigned int parent; /* its number */
	uint64_t forked_ns;  /* CLOCK_MONOTONIC; 0: by exec, nothing is inherited */
	uint64_t started_ns; /* the same clock, of a child */
	struct probe_links links;
	/* with --max-overhead: memleak_only_allocates(), memleak_frees() */
	struct probe_links call_links, free_links;
	struct allocators allocators;
	size_t n_attached;		  /* of them: their probes are in place */
	struct mappings_ledger *mappings; /* NULL: none was made yet */
	uint64_t mappings_image;	  /* whose they are, as in struct memleak_key */
	int denied;		 /* errno: its mappings may not be read, for want of privileges */
	struct process *process; /* NULL then */
	struct symbolizer *symbolizer;
	uint64_t
		named_image; /* whose names it has: target_images of that time; 0: the first one's */
	uint64_t first_image; /* with -t: before any exec; 0: not known yet */
};

/* Of --follow-forks, since the start. */
struct children {
	uint64_t followed;
	uint64_t too_short; /* they ended first */
	uint64_t too_many;  /* no place was free */
	uint64_t gap_ns;    /* longest time between fork and attaching */
};

/* What uprobes emulate, asked when it is first told of. */
struct places {
	bool checked;
	int error; /* negative errno: it could not be tried */
	struct placement_check check;
};

struct session {
	struct options options; /* its mode: the one in force */
	enum options_mode mode_asked_for;
	struct sampling sampling;
	struct places places;
	struct leash leash; /* --max-overhead */
	struct target targets[MEMLEAK_MAX_TARGETS];
	unsigned int n_targets;		    /* places that are, or were, in use */
	struct ring_buffer *memleak_events; /* NULL in kernel mode */
	bool mappings_changed; /* of some target, since the last look for allocators; not known in mode off */
	int64_t next_look_ms;	    /* CLOCK_MONOTONIC */
	int64_t next_first_look_ms; /* for the first allocator of children that wait for it */
	struct children children, told_children;
	struct ring_buffer *trace; /* with -t */
	int64_t trace_deadline_ms;
	uint64_t trace_until_ns; /* CLOCK_MONOTONIC: no deadline, but all from before; else 0 */
	int signals_fd;
	struct child child; /* with -c; pid 0: none */
	bool child_runs;    /* by itself */
	bool child_execs;   /* and has just called exec: session_child_execs() */
	struct memleak_dwunw_bpf *skel;
	const struct memleak_recent *recent; /* mapped; NULL: not used */
	struct kernel *kernel;		     /* kernel mode; NULL: processes are traced */
	struct module_cache *modules;
	struct naming *naming;			/* of all targets; NULL: none was needed yet */
	uint64_t told_counts[MEMLEAK_N_COUNTS]; /* as of the last report */
	uint64_t total; /* outstanding bytes, of blocks of any age: when last looked at */
	struct growth
		*last;	  /* totals of the last report, if something shows the growth; else NULL */
	struct peak peak; /* with --peak */
	struct outputs *outputs; /* with --output or --diff; else NULL */
	bool outputs_failed;	 /* a file could not be written */
	struct history *history; /* of what views show; NULL: none was made yet */
	struct live *live;	 /* while --tui has the terminal; else NULL */
	bool ends;		 /* the next report is the last */
	bool silent;		 /* and not to be seen: the user has left */
	uint64_t started_ns;	 /* CLOCK_MONOTONIC */
	/* dwunw-added begin: NULL with --dwunw-mode=off */
	struct dwunw_context *context;
	struct dwunw_bpf *dwunw;
	struct ring_buffer *events;
	int64_t events_deadline_ms;
	uint64_t events_until_ns; /* CLOCK_MONOTONIC: no deadline, but all from before; else 0 */
	/* as of the last report */
	struct dwunw_bpf_stats told_stats;
	/* dwunw-added end */
};

/* The frames of bpf_get_stackid(): kernel.perf_event_max_stack bounds them, and that is said. */
unsigned int session_max_depth(unsigned int wanted);
/* Whether libbpf's messages are shown. */
void session_show_libbpf(bool show);

/* Opens and loads the BPF object; 0 or, the reason printed, a negative errno. */
int session_load(struct session *session);

/* dwunw-added begin: handles the records that are there, for a limited time */
void session_handle_events(struct session *session);
/* Or all of them, however far behind we are: who goes by what they tell of would else take stacks for lost. The ring buffer bounds them. */
void session_catch_up(struct session *session);
/* dwunw-added end */

/*
 * Steps of tracing a process, in this order; 0 or, the reason printed, a negative errno. Only an opened target is to be closed.
 */
int target_open(struct target *target, pid_t pid);
int target_find_allocators(struct session *session, struct target *target);
/* dwunw-added begin: loads the tables; a second time after attaching, for what was mapped in between */
int target_add(struct session *session, struct target *target);
/* dwunw-added end */
int target_attach(const struct session *session, struct target *target);
void target_detach(struct target *target);
/* Moves its probes to `all`, for more than one target to be detached from at once. */
void target_links(struct target *target, struct probe_links *all);
/* Those probes that leash_look() took away. */
int target_attach_again(const struct session *session, struct target *target);
/* Opens the files that names come from, while the process lives; attaches to allocators that were mapped since. */
int target_symbols(struct session *session, struct target *target);
/* All of the steps. */
int target_trace(struct session *session, struct target *target);
/* Parts of these: the reason why a process cannot be read; the probes alone. */
void target_explain(const struct target *target, int err);
/* A followed child whose step failed with `err` (0: is not known) has ended: that is counted, and nothing to be said of. */
bool target_has_gone(const struct target *target, int err);
/* A followed child that has mapped no allocator yet: a program's start is told of before the dynamic linker runs. */
bool target_waits(const struct target *target);
void target_explain_nothing_found(const struct session *session, const struct target *target);
int target_attach_allocators(const struct session *session, struct target *target);
/* After its mappings were read again: finds and probes allocators that came. That one cannot be probed is said, and no reason to end. */
void target_attach_new_allocators(struct session *session, struct target *target);
void target_close(struct session *session, struct target *target);

/* Where the probes are, with -v; without, only what is single-stepped and called often, and what that costs. */
void session_tell_places(struct session *session, const struct allocator *allocator);

/* The records of memleak's own ring buffer: before anything is attached; those that are there. */
int session_events_start(struct session *session);
/* With -c: before the command runs; when it has called exec, and is stopped or about to be. */
void session_stop_child_at_exec(struct session *session);
void session_child_execs(struct session *session);
void session_events_handle(struct session *session);
/* Of other targets: a record; those whose probes are gone get them again, and what was not seen is said. */
void session_note_exec_by_thread(struct session *session,
				 const struct memleak_exec_by_thread *event);
void session_attach_again(struct session *session);
/*
 * Where mappings of a target have changed, an allocator may have come. Looks at most ten times a second, for targets that map and unmap
 * all the time; at children without one, which may be about to map it, a hundred times in their first second. When this is to be called again, at `deadline_ms` (CLOCK_MONOTONIC) at the latest.
 */
int64_t session_look_for_allocators(struct session *session, int64_t deadline_ms);
/* After an exec nothing is mapped any more. */
void session_drop_old_mappings(struct session *session);

/* Before anything is attached: whom the kernel side is to know; --follow-forks: a record; at a report's end. */
int children_start(struct session *session);
void children_handle(struct session *session, const struct memleak_child *child);
/* The allocator of a followed child is probed from now on. */
void children_probed(struct session *session, struct target *target);
/* Whether some may map one at any moment. */
bool children_wait_for_allocator(const struct session *session);
/* Whether children_tell() will tell what some have inherited. */
bool children_are_new(const struct session *session);
void children_tell(struct session *session, const struct collect_target *targets);
/* Frees the places of those that have ended and been reported. */
void children_release(struct session *session);

/*
 * -t: before anything is attached; for the events that are there, for a limited time, or for all of them, which is before a report, for
 * whose processes may be forgotten after it: -EIO as session_flush().
 */
int trace_start(struct session *session);
int trace_handle(struct session *session);
int trace_handle_all(struct session *session);

/* Where blocks and stacks come from; `targets` has room for MEMLEAK_MAX_TARGETS, and is not used in kernel mode. */
void session_source(struct session *session, struct collect_target *targets,
		    struct collect_source *ret);

/* Hands stdout to the kernel; -EIO, the reason printed, where it does not take it. */
int session_flush(void);
/* -EIO, and says what errno says: right after writing to stdout has failed. */
int session_stdout_failed(void);

/* Makes one report: prints it, or shows it in the terminal program. */
int session_report(struct session *session);

/* Parts of it: what is shown, and the names, as far as processes still have them. */
struct report_options session_report_options(const struct session *session);
int session_symbols(struct session *session);

/* What files and the terminal program show of a report: the stacks that have frames with them. */
int session_view(struct session *session, const struct report_snapshot *snapshot,
		 const struct report_groups *groups, const struct report_options *options,
		 struct view **ret);

/*
 * --output, --diff: before anything is attached; for each report, whose stacks all have frames, its view, compared with the earlier one, where
 * there is such; then the groups and *ret have what it said. Its files. What goes wrong with these two is said, and is in the exit status.
 */
int session_open_outputs(struct session *session);
struct view *session_compared_view(struct session *session, const struct report_snapshot *snapshot,
				   struct report_groups *groups,
				   const struct report_options *options, struct report_before *ret);
void session_write_outputs(struct session *session, struct view *view,
			   const struct report_snapshot *snapshot,
			   const struct report_groups *groups,
			   const struct report_options *options);

/* Whether session_check() is to be called between reports: it finds the total, and keeps a new peak. */
bool session_is_watched(const struct session *session);
int session_check(struct session *session);
/* Keeps the snapshot if it is a new peak; gives its stacks their frames. */
int session_keep_peak(struct session *session, const struct collect_source *source,
		      struct report_snapshot *snapshot, const struct report_options *options);
/* --stop-when-leaked */
bool session_has_leaked(const struct session *session);
/* The exit status: `status`, unless --fail-above decides, which is said then. */
int session_end(struct session *session, int status);

#endif
