/* SPDX-License-Identifier: BSD-2-Clause */
/* What is set in a BPF object before it is loaded. */
#include <errno.h>

#include <bpf/libbpf.h>

#include <dwunw/bpf_format.h>
#include <dwunw/dwunw.h>

#include "bpf/pid_namespace.h"
#include "bpf/probe.h"
#include "bpf/rodata.h"
#include "unwind/options.h"

#define DEFAULT_DEPTH 127
#define DEFAULT_STACKS 131072
#define DEFAULT_SHIP_PERCENT 2
#define DEFAULT_SLICE 16384
#define USER_EVENTS_SIZE (64 << 20) /* where every event brings a slice: some thousand of them */

/* bpf_loop, without which the walk cannot be (kernel 5.17, e6f2dd0f8067). */
static bool kernel_can_walk(void)
{
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_KPROBE, BPF_FUNC_loop, NULL) != 0;
}

/* Of the 2^30 ns that the kernel side takes for one; all stacks are sent where none is walked there. */
static uint64_t share_of_second(const struct dwunw_bpf_opts *opts)
{
	const uint64_t second = 1 << 30;

	if (opts->walk_in_user_space)
		return second;
	return second / 100 * (opts->ship_percent ? opts->ship_percent : DEFAULT_SHIP_PERCENT);
}

static uint32_t slice_size(const struct dwunw_bpf_opts *opts)
{
	return opts->slice_size ? opts->slice_size : DEFAULT_SLICE;
}

static int set_rodata(struct bpf_object *object, const struct dwunw_bpf_opts *opts)
{
	uint32_t depth = opts->max_depth ? opts->max_depth : DEFAULT_DEPTH;
	uint64_t ship_ns = share_of_second(opts);
	uint32_t slice = slice_size(opts);
	uint32_t guess = opts->guess;
	uint32_t details = opts->details, in_user = opts->walk_in_user_space;
	uint64_t dev, ino;
	int err;

	own_pid_namespace(&dev, &ino);
	err = rodata_set(object, "dwunw_max_depth", &depth, sizeof(depth));
	if (!err)
		err = rodata_set(object, "dwunw_ship_ns", &ship_ns, sizeof(ship_ns));
	if (!err)
		err = rodata_set(object, "dwunw_slice_size", &slice, sizeof(slice));
	if (!err)
		err = rodata_set(object, "dwunw_walk_in_user", &in_user, sizeof(in_user));
	if (!err)
		err = rodata_set(object, "dwunw_details", &details, sizeof(details));
	if (!err)
		err = rodata_set(object, "dwunw_guess", &guess, sizeof(guess));
	if (!err)
		err = rodata_set(object, "dwunw_pidns_dev", &dev, sizeof(dev));
	if (!err)
		err = rodata_set(object, "dwunw_pidns_ino", &ino, sizeof(ino));
	return err;
}

int dwunw_bpf_prepare(struct bpf_object *object, const struct dwunw_bpf_opts *given)
{
	struct dwunw_bpf_opts opts = {.size = sizeof(opts)};
	struct bpf_map *slots, *stacks, *events, *records;
	int cpus = libbpf_num_possible_cpus(), err = 0;

	if (!object || (given && options_take(&opts, sizeof(opts), given)))
		return -EINVAL;
	if (opts.max_depth >= DWUNW_MAX_FRAMES || opts.ship_percent > 100 ||
	    opts.slice_size > DWUNW_MAX_SLICE || opts.slice_size % DWUNW_SLICE_UNIT)
		return -EINVAL;
	if (cpus < 0)
		return cpus;
	slots = bpf_object__find_map_by_name(object, "dwunw_slots");
	stacks = bpf_object__find_map_by_name(object, "dwunw_stacks");
	events = bpf_object__find_map_by_name(object, "dwunw_events");
	records = bpf_object__find_map_by_name(object, "dwunw_records");
	if (!slots || !stacks || !events || !records)
		return -ENOENT;
	opts.walk_in_user_space |= !kernel_can_walk();
	if (opts.walk_in_user_space)
		err = bpf_map__set_max_entries(events, USER_EVENTS_SIZE);
	if (!err)
		err = bpf_map__set_max_entries(slots, (unsigned int)cpus * DWUNW_SLOTS);
	if (!err)
		err = bpf_map__set_max_entries(records, (unsigned int)cpus * DWUNW_SLOTS);
	if (!err)
		err = bpf_map__set_value_size(records, DWUNW_RECORD_SIZE(slice_size(&opts)));
	if (!err)
		err = bpf_map__set_max_entries(stacks,
					       opts.max_stacks ? opts.max_stacks : DEFAULT_STACKS);
	if (!err)
		err = probe_prepare(object);
	return err ? err : set_rodata(object, &opts);
}
