/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The maps of the BPF side. User space (src/bpf) sizes them before the object is loaded and fills them; the layouts
 * below are shared with it.
 */
#ifndef DWUNW_MAPS_BPF_H
#define DWUNW_MAPS_BPF_H

#include "bpf_format.h"

/* Set by user space before loading: all walks are left to it, or there are none. */
const volatile __u32 dwunw_walk_in_user;

/* One shard of the table space: parts of tables, at offsets that user space gave out. */
struct dwunw_shard_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(key_size, sizeof(__u32)); /* by size: an inner map with half its types is refused */
	__uint(value_size, DWUNW_SHARD_SIZE);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, DWUNW_MAX_SHARDS);
	__type(key, __u32);
	__array(values, struct dwunw_shard_map);
} dwunw_shards SEC(".maps");

struct dwunw_mappings_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct dwunw_mappings));
};

/* the mappings of a process, replaced whole, so that a walk sees the old or the new ones */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, DWUNW_MAX_PROCESSES);
	__type(key, __u32);
	__array(values, struct dwunw_mappings_map);
} dwunw_mappings SEC(".maps");

/* in the thread group leader, so that neither pid reuse nor PID namespaces can confuse it */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct dwunw_process);
} dwunw_processes SEC(".maps");

/* what is remembered of each thread */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct dwunw_memo);
} dwunw_memos SEC(".maps");

/* ids of the stacks that user space has been told of */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 131072);
	__type(key, __u64);
	__type(value, __u32);
} dwunw_stacks SEC(".maps");

/* walk buffers: DWUNW_SLOTS for each possible CPU */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, DWUNW_SLOTS);
	__type(key, __u32);
	__type(value, struct dwunw_slot);
} dwunw_slots SEC(".maps");

/* for each of them, where the record of an unfinished stack is put together: its value size is that of DWUNW_RECORD_SIZE(dwunw_slice_size) */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, DWUNW_SLOTS);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, DWUNW_RECORD_SIZE(DWUNW_MAX_SLICE));
} dwunw_records SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
} dwunw_events SEC(".maps");

#endif
