/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libdwunw: complete user stacks for eBPF tools. This is the user-space side; the BPF side is dwunw.bpf.h.
 *
 *   obj = open the BPF object
 *   dwunw_bpf_prepare(obj, &opts)              sizes the maps
 *   load the BPF object
 *   dwunw_context_create(NULL, &context)
 *   dwunw_bpf_create(context, obj, &bpf)
 *   dwunw_bpf_add_process(bpf, pid)            loads its unwind tables
 *   attach the tool's probes
 *   for each record of the ring buffer "dwunw_events": dwunw_bpf_handle_event(bpf, data, size)
 *   dwunw_bpf_find_stack(bpf, id, &stack)      id as dwunw_get_stackid() returned it
 *
 * Functions return 0 or a negative errno, results through the last argument, which is untouched on failure. Why a call
 * failed (errno) and why a stack ended (stop reason) are two things: a stack that is cut short is no error.
 *
 * A context and what was created from it belong to one thread at a time. Addresses are those of the target process, sizes are bytes.
 */
#ifndef DWUNW_H
#define DWUNW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "event_format.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DWUNW_API __attribute__((visibility("default")))

struct bpf_object;
struct dwunw_bpf;
struct dwunw_context;

/* Options structs are led by their size, so that they can grow: { .size = sizeof(opts), ... }. */
struct dwunw_bpf_opts {
	size_t size;
	unsigned int max_depth;	 /* frames of a stack, 1 .. DWUNW_MAX_FRAMES - 1; 0: 127 */
	unsigned int max_stacks; /* different stacks; 0: 131072 */
	unsigned int ship_limit; /* unfinished stacks a second and CPU; 0: 2000 */
	bool details;		 /* frames carry sp and cfa */
};

struct dwunw_frame {
	uint64_t pc;
	uint64_t sp, cfa; /* 0 where not known, see dwunw_bpf_opts.details */
	uint64_t ra;	  /* 0 in the last frame */
	uint32_t flags;	  /* DWUNW_FRAME_* */
};

/* A stack, innermost frame first. Owned by the struct dwunw_bpf; valid until that is destroyed. */
struct dwunw_stack {
	uint32_t index; /* 0, 1, 2, ...: the same for every id that stands for this stack */
	uint32_t stop;	/* enum dwunw_stop_reason; DWUNW_STOP_ROOT: complete */
	pid_t pid;	/* thread group, in this process's PID namespace */
	char comm[16];
	bool finished_in_user_space;
	bool has_details;
	size_t n_frames;
	const struct dwunw_frame *frames;
};

/* What happened so far; sums over all CPUs. */
struct dwunw_bpf_stats {
	uint64_t stops[DWUNW_N_STOP_REASONS]; /* walks by how they ended in the kernel */
	uint64_t full_walks;		      /* walked again with all registers */
	uint64_t fp_stacks;		      /* complete with the help of frame-pointer steps */
	uint64_t shipped;		      /* sent to user space to be finished */
	uint64_t finished;		      /* of those, completed */
	uint64_t untold;	   /* stack records lost because the ring buffer was full */
	uint64_t stacks_full;	   /* stacks not remembered in the kernel: more than max_stacks */
	uint64_t tables;	   /* unwind tables loaded */
	uint64_t table_bytes;	   /* of table space in use */
	uint64_t tables_refused;   /* tables that did not fit into table space */
	uint64_t mappings_refused; /* executable mappings past the limit of one process */
};

DWUNW_API int dwunw_context_create(struct dwunw_context **ret);
/* Everything created from it must be destroyed first. NULL is allowed. */
DWUNW_API void dwunw_context_destroy(struct dwunw_context *context);

/* What a stop reason says; never NULL. */
DWUNW_API const char *dwunw_stop_reason_text(unsigned int stop);

/* Sizes the maps of an object that includes dwunw.bpf.h, between opening and loading it. `opts` may be NULL. -ENOENT: it
 * does not include that. */
DWUNW_API int dwunw_bpf_prepare(struct bpf_object *object, const struct dwunw_bpf_opts *opts);

/* After loading; borrows both. */
DWUNW_API int dwunw_bpf_create(struct dwunw_context *context, struct bpf_object *object,
			       struct dwunw_bpf **ret);
DWUNW_API void dwunw_bpf_destroy(struct dwunw_bpf *bpf);

/*
 * Loads the unwind tables of a process and follows its dynamic linker. Its stacks are walked in the kernel from now on. (A process
 * that was not added announces itself with its first stack.) Again for the same pid: reads its mappings again.
 * -ESRCH: no such process; -EACCES, -EPERM: not permitted to read its mappings.
 */
DWUNW_API int dwunw_bpf_add_process(struct dwunw_bpf *bpf, pid_t pid);

/* One record of the ring buffer "dwunw_events". 1: it is not libdwunw's (type DWUNW_EVENT_TOOL or above). */
DWUNW_API int dwunw_bpf_handle_event(struct dwunw_bpf *bpf, const void *data, size_t size);

/*
 * The stack that `id` stands for. -ENOENT: none was kept (the low bits of an id with DWUNW_ID_REASON say why), or
 * its record has not been handled yet.
 */
DWUNW_API int dwunw_bpf_find_stack(struct dwunw_bpf *bpf, int64_t id,
				   const struct dwunw_stack **ret);

DWUNW_API void dwunw_bpf_get_stats(struct dwunw_bpf *bpf, struct dwunw_bpf_stats *ret);

#ifdef __cplusplus
}
#endif

#endif
