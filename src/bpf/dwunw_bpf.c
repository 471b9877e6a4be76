/* SPDX-License-Identifier: BSD-2-Clause */
/* The user-space side of dwunw.bpf.h: its maps, the processes, the figures. Events: events.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/libbpf.h>

#include <dwunw/bpf_format.h>
#include <dwunw/dwunw.h>

#include "bpf/dwunw_bpf.h"
#include "bpf/history.h"
#include "bpf/internal.h"
#include "bpf/rodata.h"
#include "bpf/space.h"
#include "bpf/stacks.h"

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
	uint32_t depth, details, guess, in_user;
	int err;

	env->processes_fd = bpf_object__find_map_fd_by_name(object, "dwunw_processes");
	env->places.fd = bpf_object__find_map_fd_by_name(object, "dwunw_mappings");
	env->link_map_program = bpf_object__find_program_by_name(object, "dwunw_on_link_map");
	if (shards_fd < 0 || env->processes_fd < 0 || env->places.fd < 0 || !env->link_map_program)
		return -ENOENT;
	err = rodata_get(object, "dwunw_max_depth", &depth, sizeof(depth));
	if (!err)
		err = rodata_get(object, "dwunw_details", &details, sizeof(details));
	if (!err)
		err = rodata_get(object, "dwunw_guess", &guess, sizeof(guess));
	if (!err)
		err = rodata_get(object, "dwunw_walk_in_user", &in_user, sizeof(in_user));
	if (err)
		return err;
	bpf->max_depth = depth;
	bpf->details = details;
	bpf->guess = guess;
	bpf->walk_in_user_space = in_user;
	err = space_create(shards_fd, &env->space);
	return err ? err : map_slots(bpf, object);
}

int dwunw_bpf_create(struct dwunw_context *context, struct bpf_object *object,
		     struct dwunw_bpf **ret)
{
	struct dwunw_bpf *bpf;
	int err;

	if (!context || !object || !ret)
		return -EINVAL;
	bpf = calloc(1, sizeof(*bpf));
	if (!bpf)
		return -ENOMEM;
	bpf->env.modules = context->modules;
	bpf->env.places.next_epoch = 1;
	bpf->env.next_key = 1;
	bpf->records_error = history_open(&bpf->env.history);
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
	struct probe_links hooks = {};

	if (!bpf)
		return;
	for (struct traced *traced = bpf->traced; traced; traced = traced->next)
		probe_links_move(&traced->hook, &hooks);
	probe_detach_together(&hooks);
	while (bpf->traced) {
		struct traced *next = bpf->traced->next;

		traced_destroy(&bpf->env, bpf->traced);
		bpf->traced = next;
	}
	traced_env_release(&bpf->env);
	history_close(bpf->env.history);
	if (bpf->slots)
		munmap(bpf->slots, bpf->n_slots * sizeof(*bpf->slots));
	space_destroy(bpf->env.space);
	stacks_destroy(bpf->stacks);
	free(bpf);
}

static void add_record(void *arg, const struct history_record *record)
{
	struct dwunw_bpf *bpf = arg;
	struct traced *traced = find_by_pid(bpf, record->pid);

	if (traced)
		traced_add_past(&bpf->env, traced, record);
}

void read_history(struct dwunw_bpf *bpf)
{
	uint64_t lost;

	if (!bpf->env.history)
		return;
	lost = history_read(bpf->env.history, add_record, bpf);
	for (struct traced *traced = bpf->traced; traced && lost; traced = traced->next) {
		traced_forget_past(&bpf->env, traced);
		traced_publish(&bpf->env, traced);
	}
	bpf->env.records_lost += lost;
}

struct traced *find_by_pid(struct dwunw_bpf *bpf, pid_t pid)
{
	struct traced *traced = bpf->traced;

	while (traced && traced->pid != pid)
		traced = traced->next;
	return traced;
}

int add_traced(struct dwunw_bpf *bpf, pid_t pid, uint64_t key, struct traced **ret)
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
	int err;

	if (!bpf || pid <= 0)
		return -EINVAL;
	traced = find_by_pid(bpf, pid);
	if (traced && traced_has_ended(traced)) { /* another process has its pid now */
		dwunw_bpf_remove_process(bpf, pid);
		traced = NULL;
	}
	if (!traced)
		return add_traced(bpf, pid, 0, &traced);
	err = traced_publish(&bpf->env, traced);
	/* exec by a thread that was not the leader: nothing is kept in the new one yet */
	return err == -ESRCH ? traced_renew(&bpf->env, traced) : err;
}

int dwunw_bpf_remove_process(struct dwunw_bpf *bpf, pid_t pid)
{
	struct traced **at, *traced;

	if (!bpf)
		return -EINVAL;
	for (at = &bpf->traced; *at && (*at)->pid != pid; at = &(*at)->next)
		;
	traced = *at;
	if (!traced)
		return -ESRCH;
	*at = traced->next;
	traced_destroy(&bpf->env, traced);
	return 0;
}

int dwunw_bpf_find_stack(struct dwunw_bpf *bpf, int64_t id, const struct dwunw_stack **ret)
{
	const struct dwunw_stack *stack;

	if (!bpf || !ret)
		return -EINVAL;
	stack = stacks_find(bpf->stacks, id);
	if (!stack)
		return -ENOENT;
	*ret = stack;
	return 0;
}

int dwunw_bpf_forget_unused(struct dwunw_bpf *bpf)
{
	if (!bpf)
		return -EINVAL;
	read_history(bpf);
	return stacks_forget_unused(bpf->stacks);
}

struct module *dwunw_bpf_module(struct dwunw_bpf *bpf, uint32_t id)
{
	return traced_env_module(&bpf->env, id);
}

void dwunw_bpf_set_progress(struct dwunw_bpf *bpf, void (*progress)(size_t done, size_t all))
{
	bpf->env.progress = progress;
}

/* An incomplete stack is not sent here, or could not be. */
static bool ends_in_kernel(size_t stop)
{
	static const bool is_sent[] = {
#define STOP_IS_SENT(name, text, finish) finish,
		DWUNW_STOP_REASONS(STOP_IS_SENT)
#undef STOP_IS_SENT
	};

	return stop != DWUNW_STOP_ROOT && !is_sent[stop];
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
		ret->unannounced += counts[DWUNW_COUNT_UNANNOUNCED];
		ret->stacks_full += counts[DWUNW_COUNT_STACKS_FULL];
		ret->known += counts[DWUNW_COUNT_MEMO_WHOLE] + counts[DWUNW_COUNT_MEMO_REST];
		ret->no_memo += counts[DWUNW_COUNT_NO_MEMO];
	}
	for (const struct traced *traced = bpf->traced; traced; traced = traced->next) {
		ret->unreadable += traced->n_unreadable;
		if (!ret->unreadable_error)
			ret->unreadable_error = traced->unreadable_error;
	}
	ret->records_error = bpf->records_error;
	ret->walk_in_user_space = bpf->walk_in_user_space;
	for (size_t stop = 0; stop < DWUNW_N_STOP_REASONS; stop++)
		ret->cut_short[stop] =
			bpf->cut_short[stop] + (ends_in_kernel(stop) ? ret->stops[stop] : 0);
	ret->fp_stacks += bpf->fp_finished;
	ret->finished = bpf->finished;
	ret->tables = bpf->env.tables;
	ret->tables_refused = bpf->env.tables_refused;
	ret->refresh_failures = bpf->env.refresh_failures;
	ret->mappings_refused = bpf->env.mappings_refused;
	ret->records_lost = bpf->env.records_lost;
	ret->table_bytes = space_used(bpf->env.space);
}
