/* SPDX-License-Identifier: BSD-2-Clause */
/* One process whose stacks are walked: its mappings in the kernel, its dynamic linker's hook. */
#ifndef BPF_TRACED_H
#define BPF_TRACED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/probe.h"

struct bpf_program;
struct module_cache;
struct process;
struct space;

/* What all traced processes share. */
struct traced_env {
	struct module_cache *modules;
	struct space *space;
	int processes_fd, mappings_fd;
	struct bpf_program *link_map_program;
	uint64_t next_epoch, next_key;
	uint64_t tables, tables_refused, mappings_refused, refresh_failures;
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
	bool read_once;	     /* this image's mappings were read before */
	bool changed;	     /* and whether that found anything new */
	struct process *process;
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

/*
 * mapping.since of the newest mappings that can be believed for a stack of that generation. Nothing was removed since: all of them. Else only
 * those of the first reading: any other file may have been mapped, taken away and mapped again in between.
 */
uint32_t traced_newest(const struct traced *traced, uint32_t generation);

#endif
