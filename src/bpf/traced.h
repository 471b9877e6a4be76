/* SPDX-License-Identifier: BSD-2-Clause */
/* One process whose stacks are walked: its mappings in the kernel, its dynamic linker's hook. */
#ifndef BPF_TRACED_H
#define BPF_TRACED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/past.h"
#include "bpf/probe.h"
#include "bpf/shown.h"

struct bpf_program;
struct history;
struct history_record;
struct module_cache;
struct process;
struct space;

/* What all traced processes share. */
struct traced_env {
	struct module_cache *modules;
	struct history *history; /* NULL: not permitted, so that nothing is remembered */
	struct space *space;
	int processes_fd;
	struct shown_places places;
	struct bpf_program *link_map_program;
	uint64_t next_key;
	uint64_t tables, tables_refused, mappings_refused, refresh_failures;
	uint64_t records_lost;
	uint64_t handled_ns; /* CLOCK_MONOTONIC: events of before have been handled */
	void (*progress)(size_t done, size_t all); /* dwunw_bpf_set_progress() */
	struct module **
		held; /* every module seen: a library that is closed and opened again finds its table, */
	size_t n_held; /* and the frames in it keep their names */
};

void traced_env_release(struct traced_env *env);

/* The module of that number (dwunw_frame.module_id), or NULL. */
struct module *traced_env_module(const struct traced_env *env, uint32_t id);

struct traced {
	struct traced *next;
	pid_t pid;
	int pidfd;
	uint64_t key;	     /* of the process image; even: given by the kernel */
	uint64_t read_ns;    /* CLOCK_MONOTONIC before its mappings were last read */
	uint32_t generation; /* of the process, after that */
	bool changed;	     /* whether that found anything new */
	uint64_t
		in_vain_ns; /* CLOCK_MONOTONIC before a reading for an address in no mapping that found nothing new */
	bool is_read; /* some were, of this image */
	bool is_over; /* its image has ended: what was mapped since is known by records alone */
	bool permanent_known;  /* the permanent ones among the mappings are marked, all of them */
	uint64_t n_unreadable; /* executable mappings whose files could not be read */
	int unreadable_error;  /* 0, or negative errno: of the first of them */
	struct process *process;
	struct shown shown; /* to the kernel, of its mappings */
	struct past past;
	struct probe_links hook;
};

/* Opens the process and registers it with the kernel, or, with `key` set, as the image that the kernel has announced. Not published yet. */
int traced_create(struct traced_env *env, pid_t pid, uint64_t key, struct traced **ret);
void traced_destroy(struct traced_env *env, struct traced *traced);

/* Reads the mappings again, loads missing tables and shows both to the kernel. */
int traced_publish(struct traced_env *env, struct traced *traced);

/* Whether the process has ended. */
bool traced_has_ended(const struct traced *traced);

/* The process image was replaced: the kernel's new key. Follow with traced_publish(). */
void traced_exec(struct traced_env *env, struct traced *traced, uint64_t key);
/* The same, found out by traced_publish(), which says -ESRCH also of an image that the kernel side knows nothing of. -ESRCH: the process has ended. */
int traced_renew(struct traced_env *env, struct traced *traced);

/*
 * The mappings that a stack of that generation and time went through; *permanent_only: of those only the permanent ones are certain.
 * Nothing was removed since: the present ones. Else what is remembered, which needs the records of its time (traced_add_past()).
 */
const struct process *traced_code_at(struct traced *traced, uint32_t generation, uint64_t time_ns,
				     bool *permanent_only);
/* A mapping was made. */
void traced_add_past(struct traced_env *env, struct traced *traced,
		     const struct history_record *record);
/* Records of new mappings may be missing: what is known begins with the next traced_publish(). */
void traced_forget_past(struct traced_env *env, struct traced *traced);

#endif
