/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes the place of libbpf and of src/bpf/probe.c for src/bpf/space.c and traced.c: BPF maps that are files in memory, so that the tables
 * and mappings that the walker sees are those that the real code writes.
 */
#ifndef FAKE_BPF_H
#define FAKE_BPF_H

/* Instead of the descriptors of dwunw_shards, dwunw_mappings and dwunw_processes. */
enum { FAKE_SHARDS_FD = 1 << 20, FAKE_MAPPINGS_FD, FAKE_PROCESSES_FD };

struct dwunw_mappings;

/* The inner map of a shard, or NULL; its bytes, which inaccessible memory follows. */
void *fake_shard(unsigned int index);
void *fake_shard_bytes(void *shard);
/* What was published last for the process with that key, or NULL. */
const struct dwunw_mappings *fake_mappings(unsigned long long key);
void fake_bpf_free(void);

#endif
