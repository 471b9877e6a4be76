/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Executable mappings of all processes as they are made, and exec, which takes all of them away: the kernel's own records (PERF_RECORD_MMAP2 and
 * PERF_RECORD_COMM of perf_event_open(2)), dated, so that a stack can be told what was mapped when it was taken.
 */
#ifndef BPF_HISTORY_H
#define BPF_HISTORY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct history;

struct history_record {
	pid_t pid;	  /* of the process, in the caller's PID namespace */
	bool is_exec;	  /* all mappings of before are gone; what follows is 0 */
	uint64_t time_ns; /* CLOCK_MONOTONIC */
	uint64_t start, end, file_off, inode;
	uint32_t dev_major, dev_minor;
	const char *path; /* as in /proc/PID/maps; valid during the call */
};

typedef void history_fn(void *arg, const struct history_record *record);

/* Begins to record. A negative errno where perf events are not permitted, or missing. */
int history_open(struct history **ret);
void history_close(struct history *history);
/*
 * Hands out what was recorded since the last call; in order of time. Returns how many records were lost, for
 * want of room, since then.
 */
uint64_t history_read(struct history *history, history_fn *fn, void *arg);

#endif
