/* SPDX-License-Identifier: BSD-2-Clause */
/* The user-space side of dwunw.bpf.h: sizes and fills its maps, handles its events. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <dwunw/bpf_format.h>
#include <dwunw/dwunw.h>

#include "bpf/dwunw_bpf.h"
#include "bpf/rodata.h"
#include "bpf/space.h"
#include "bpf/stacks.h"
#include "bpf/traced.h"
#include "process/process.h"
#include "unwind/unwind.h"

#define DEFAULT_DEPTH 127
#define DEFAULT_STACKS 131072
#define DEFAULT_SHIP_LIMIT 2000

struct dwunw_context {
	struct module_cache *modules;
};

struct dwunw_bpf {
	struct traced_env env;
	struct traced *traced;
	struct stacks *stacks;
	struct dwunw_slot *slots; /* mapped; read only */
	size_t n_slots;
	unsigned int max_depth;
	bool details;
	uint64_t finished;
	struct dwunw_frame frames[DWUNW_MAX_FRAMES]; /* of the event at hand */
};

int dwunw_context_create(struct dwunw_context **ret)
{
	struct dwunw_context *context = calloc(1, sizeof(*context));
	int err;

	if (!context)
		return -ENOMEM;
	err = module_cache_create(&context->modules);
	if (err) {
		free(context);
		return err;
	}
	*ret = context;
	return 0;
}

void dwunw_context_destroy(struct dwunw_context *context)
{
	if (!context)
		return;
	module_cache_destroy(context->modules);
	free(context);
}

struct module_cache *dwunw_context_modules(struct dwunw_context *context)
{
	return context->modules;
}

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
	struct dwunw_bpf_opts opts = { .size = sizeof(opts) };
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
	return err ? err : set_rodata(object, &opts);
}

static int map_slots(struct dwunw_bpf *bpf, struct bpf_object *object)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, "dwunw_slots");
	void *data;

	if (!map)
		return -ENOENT;
	bpf->n_slots = bpf_map__max_entries(map);
	data = mmap(NULL, bpf->n_slots * sizeof(*bpf->slots), PROT_READ, MAP_SHARED,
		    bpf_map__fd(map), 0);
	if (data == MAP_FAILED)
		return -errno;
	bpf->slots = data;
	return 0;
}

static int find_maps(struct dwunw_bpf *bpf, struct bpf_object *object)
{
	struct traced_env *env = &bpf->env;
	int shards_fd = bpf_object__find_map_fd_by_name(object, "dwunw_shards");
	uint32_t depth, details;
	int err;

	env->processes_fd = bpf_object__find_map_fd_by_name(object, "dwunw_processes");
	env->mappings_fd = bpf_object__find_map_fd_by_name(object, "dwunw_mappings");
	env->link_map_program = bpf_object__find_program_by_name(object, "dwunw_on_link_map");
	if (shards_fd < 0 || env->processes_fd < 0 || env->mappings_fd < 0 || !env->link_map_program)
		return -ENOENT;
	err = rodata_get(object, "dwunw_max_depth", &depth, sizeof(depth));
	if (!err)
		err = rodata_get(object, "dwunw_details", &details, sizeof(details));
	if (err)
		return err;
	bpf->max_depth = depth;
	bpf->details = details;
	err = space_create(shards_fd, &env->space);
	return err ? err : map_slots(bpf, object);
}

int dwunw_bpf_create(struct dwunw_context *context, struct bpf_object *object, struct dwunw_bpf **ret)
{
	struct dwunw_bpf *bpf;
	int err;

	if (!context || !object || !ret)
		return -EINVAL;
	bpf = calloc(1, sizeof(*bpf));
	if (!bpf)
		return -ENOMEM;
	bpf->env.modules = context->modules;
	bpf->env.next_epoch = 1;
	bpf->env.next_key = 1;
	err = stacks_create(&bpf->stacks);
	if (!err)
		err = find_maps(bpf, object);
	if (err) {
		dwunw_bpf_destroy(bpf);
		return err;
	}
	*ret = bpf;
	return 0;
}

void dwunw_bpf_destroy(struct dwunw_bpf *bpf)
{
	if (!bpf)
		return;
	while (bpf->traced) {
		struct traced *next = bpf->traced->next;

		traced_destroy(&bpf->env, bpf->traced);
		bpf->traced = next;
	}
	if (bpf->slots)
		munmap(bpf->slots, bpf->n_slots * sizeof(*bpf->slots));
	space_destroy(bpf->env.space);
	stacks_destroy(bpf->stacks);
	free(bpf);
}

static struct traced *find_by_pid(struct dwunw_bpf *bpf, pid_t pid)
{
	struct traced *traced = bpf->traced;

	while (traced && traced->pid != pid)
		traced = traced->next;
	return traced;
}

static struct traced *find_by_key(struct dwunw_bpf *bpf, uint64_t key)
{
	struct traced *traced = bpf->traced;

	while (traced && traced->key != key)
		traced = traced->next;
	return traced;
}

static int add_traced(struct dwunw_bpf *bpf, pid_t pid, uint64_t key, struct traced **ret)
{
	int err = traced_create(&bpf->env, pid, key, ret);

	if (err)
		return err;
	(*ret)->next = bpf->traced;
	bpf->traced = *ret;
	return traced_publish(&bpf->env, *ret);
}

int dwunw_bpf_add_process(struct dwunw_bpf *bpf, pid_t pid)
{
	struct traced *traced;

	if (!bpf || pid <= 0)
		return -EINVAL;
	traced = find_by_pid(bpf, pid);
	return traced ? traced_publish(&bpf->env, traced) : add_traced(bpf, pid, 0, &traced);
}

static void describe(const struct dwunw_bpf *bpf, const struct dwunw_event *event,
		     struct dwunw_stack *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->pid = (pid_t)event->tgid;
	memcpy(ret->comm, event->comm, sizeof(ret->comm));
	ret->comm[sizeof(ret->comm) - 1] = '\0';
	ret->frames = bpf->frames;
	ret->has_details = bpf->details;
}

static int handle_stack(struct dwunw_bpf *bpf, const void *data, size_t size)
{
	const struct dwunw_stack_event *event = data;
	const uint64_t *words = (const void *)(event + 1);
	size_t stride, n;
	struct dwunw_stack stack;

	if (size < sizeof(*event))
		return -EBADMSG;
	stride = event->has_sp ? 2 : 1;
	n = event->n_frames;
	if (n > DWUNW_MAX_FRAMES || (size - sizeof(*event)) / sizeof(*words) < n * stride)
		return -EBADMSG;
	for (size_t i = 0; i < n; i++) {
		bool last = i + 1 == n;

		bpf->frames[i] = (struct dwunw_frame){
			.pc = DWUNW_FRAME_PC(words[i * stride]),
			.flags = DWUNW_FRAME_FLAGS(words[i * stride]),
			.ra = last ? 0 : DWUNW_FRAME_PC(words[(i + 1) * stride]),
		};
		if (event->has_sp) {
			bpf->frames[i].sp = words[2 * i + 1];
			bpf->frames[i].cfa = last ? 0 : words[2 * i + 3];
		}
	}
	describe(bpf, &event->event, &stack);
	stack.stop = event->stop;
	stack.n_frames = n;
	return stacks_add(bpf->stacks, event->event.stack_id, event->event.process, &stack);
}

/* The frames that the kernel had when it gave up, for want of more. */
static void take_kernel_frames(struct dwunw_bpf *bpf, const struct dwunw_cut_short_event *event,
			       struct dwunw_stack *stack)
{
	size_t n = event->n_frames < bpf->max_depth ? event->n_frames : bpf->max_depth;

	for (size_t i = 0; i < n; i++)
		bpf->frames[i] = (struct dwunw_frame){ .pc = DWUNW_FRAME_PC(event->frames[i]),
						       .flags = DWUNW_FRAME_FLAGS(event->frames[i]) };
	stack->n_frames = n;
	stack->stop = event->stop;
}

static int finish(struct dwunw_bpf *bpf, struct traced *traced, const struct dwunw_cut_short_event *event)
{
	struct unwind_snapshot snapshot = {
		.registers = &event->registers,
		.slice_start = event->slice_start,
		.slice = event->slice,
		.slice_size = event->slice_size,
		.trampoline = event->trampoline,
		.returns = event->returns,
		.n_returns = event->n_returns,
	};
	struct dwunw_stack stack;

	describe(bpf, &event->event, &stack);
	stack.finished_in_user_space = true;
	if (traced) {
		stack.pid = traced->pid;
		snapshot.process = traced->process;
		stack.stop = unwind_snapshot(&snapshot, event->skip, bpf->max_depth, bpf->frames,
					     &stack.n_frames);
	} else {
		take_kernel_frames(bpf, event, &stack);
	}
	bpf->finished += stack.stop == DWUNW_STOP_ROOT;
	return stacks_add(bpf->stacks, event->event.stack_id, event->event.process, &stack);
}

/* Whether the mappings that the kernel walked with, or those that we know, are behind. */
static bool needs_refresh(const struct traced *traced, const struct dwunw_cut_short_event *event)
{
	uint64_t pc;
	const struct mapping *mapping;

	if (event->stop == DWUNW_STOP_STALE || event->stop == DWUNW_STOP_NO_PROCESS)
		return traced->published != event->generation;
	if (event->stop != DWUNW_STOP_NO_MAPPING)
		return false;
	if (!event->last_pc)
		return true;
	pc = event->last_pc;
	mapping = process_find_mapping(traced->process, pc - 1);
	return !mapping || !mapping->executable;
}

static int handle_cut_short(struct dwunw_bpf *bpf, const void *data, size_t size)
{
	const struct dwunw_cut_short_event *event = data;
	struct traced *traced;
	int err;

	if (size < sizeof(*event) || event->slice_size > sizeof(event->slice) ||
	    event->n_returns > DWUNW_MAX_RETURNS || event->n_frames > DWUNW_MAX_FRAMES)
		return -EBADMSG;
	traced = find_by_key(bpf, event->event.process);
	if (!traced && event->event.tgid) {
		/* it may have ended since: then its stack stays as the kernel left it */
		err = add_traced(bpf, (pid_t)event->event.tgid, event->event.process, &traced);
		if (err)
			traced = find_by_key(bpf, event->event.process);
	} else if (traced && needs_refresh(traced, event)) {
		traced_publish(&bpf->env, traced);
	}
	return finish(bpf, traced, event);
}

static int handle_process(struct dwunw_bpf *bpf, const void *data)
{
	const struct dwunw_event *event = data;
	struct traced *traced = find_by_pid(bpf, (pid_t)event->tgid);

	if (!traced)
		return 0; /* announces itself with its first stack */
	traced_exec(&bpf->env, traced, event->process);
	return traced_publish(&bpf->env, traced);
}

int dwunw_bpf_handle_event(struct dwunw_bpf *bpf, const void *data, size_t size)
{
	const struct dwunw_event *event = data;

	if (!bpf || !data || size < sizeof(event->type))
		return -EINVAL;
	if (event->type >= DWUNW_EVENT_TOOL)
		return 1;
	if (size < sizeof(*event))
		return -EBADMSG;
	switch (event->type) {
	case DWUNW_EVENT_STACK:
		return handle_stack(bpf, data, size);
	case DWUNW_EVENT_CUT_SHORT:
		return handle_cut_short(bpf, data, size);
	case DWUNW_EVENT_PROCESS:
		return handle_process(bpf, data);
	default:
		return -EBADMSG;
	}
}

int dwunw_bpf_find_stack(struct dwunw_bpf *bpf, int64_t id, const struct dwunw_stack **ret)
{
	const struct dwunw_stack *stack = stacks_find(bpf->stacks, id);

	if (!stack)
		return -ENOENT;
	*ret = stack;
	return 0;
}

void dwunw_bpf_get_stats(struct dwunw_bpf *bpf, struct dwunw_bpf_stats *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < bpf->n_slots; i++) {
		const uint64_t *counts = (const uint64_t *)bpf->slots[i].counts;

		for (size_t stop = 0; stop < DWUNW_N_STOP_REASONS; stop++)
			ret->stops[stop] += counts[stop];
		ret->full_walks += counts[DWUNW_COUNT_FULL_WALKS];
		ret->fp_stacks += counts[DWUNW_COUNT_FP_STACKS];
		ret->shipped += counts[DWUNW_COUNT_SHIPPED];
		ret->untold += counts[DWUNW_COUNT_UNTOLD];
		ret->stacks_full += counts[DWUNW_COUNT_STACKS_FULL];
	}
	ret->finished = bpf->finished;
	ret->tables = bpf->env.tables;
	ret->tables_refused = bpf->env.tables_refused;
	ret->mappings_refused = bpf->env.mappings_refused;
	ret->table_bytes = space_used(bpf->env.space);
}
