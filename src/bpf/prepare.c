/* SPDX-License-Identifier: BSD-2-Clause */
/* What is set in a BPF object before it is loaded. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <bpf/libbpf.h>

#include <dwunw/bpf_format.h>
#include <dwunw/dwunw.h>

#include "bpf/probe.h"
#include "bpf/rodata.h"

#define DEFAULT_DEPTH 127
#define DEFAULT_STACKS 131072
#define DEFAULT_SHIP_LIMIT 2000

/* The PID namespace of this process, for event.tgid; 0 in the initial one, whose inode is fixed (include/linux/proc_ns.h). */
static void own_pid_namespace(uint64_t *dev, uint64_t *ino)
{
	const ino_t initial = 0xEFFFFFFC; /* PROC_PID_INIT_INO */
	struct stat st;

	*dev = *ino = 0;
	if (stat("/proc/self/ns/pid", &st) == 0 && st.st_ino != initial) {
		*dev = st.st_dev;
		*ino = st.st_ino;
	}
}

static int set_rodata(struct bpf_object *object, const struct dwunw_bpf_opts *opts)
{
	uint32_t depth = opts->max_depth ? opts->max_depth : DEFAULT_DEPTH;
	uint32_t limit = opts->ship_limit ? opts->ship_limit : DEFAULT_SHIP_LIMIT;
	uint32_t details = opts->details;
	uint64_t dev, ino;
	int err;

	own_pid_namespace(&dev, &ino);
	err = rodata_set(object, "dwunw_max_depth", &depth, sizeof(depth));
	if (!err)
		err = rodata_set(object, "dwunw_ship_limit", &limit, sizeof(limit));
	if (!err)
		err = rodata_set(object, "dwunw_details", &details, sizeof(details));
	if (!err)
		err = rodata_set(object, "dwunw_pidns_dev", &dev, sizeof(dev));
	if (!err)
		err = rodata_set(object, "dwunw_pidns_ino", &ino, sizeof(ino));
	return err;
}

int dwunw_bpf_prepare(struct bpf_object *object, const struct dwunw_bpf_opts *given)
{
	struct dwunw_bpf_opts opts = {.size = sizeof(opts)};
	struct bpf_map *slots, *stacks;
	int cpus = libbpf_num_possible_cpus(), err;

	if (!object || (given && given->size < sizeof(opts.size)))
		return -EINVAL;
	if (given)
		memcpy(&opts, given, given->size < sizeof(opts) ? given->size : sizeof(opts));
	if (opts.max_depth >= DWUNW_MAX_FRAMES)
		return -EINVAL;
	if (cpus < 0)
		return cpus;
	slots = bpf_object__find_map_by_name(object, "dwunw_slots");
	stacks = bpf_object__find_map_by_name(object, "dwunw_stacks");
	if (!slots || !stacks)
		return -ENOENT;
	err = bpf_map__set_max_entries(slots, (unsigned int)cpus * DWUNW_SLOTS);
	if (!err)
		err = bpf_map__set_max_entries(stacks,
					       opts.max_stacks ? opts.max_stacks : DEFAULT_STACKS);
	if (!err)
		err = probe_prepare(object);
	return err ? err : set_rodata(object, &opts);
}
