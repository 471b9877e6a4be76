/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/traced.h"

#include <errno.h>
#include <link.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <dwunw/bpf_format.h>

#include "bpf/history.h"
#include "bpf/linker.h"
#include "bpf/permanent.h"
#include "bpf/space.h"
#include "elf/elf_file.h"
#include "process/attach.h"
#include "process/maps.h"
#include "process/process.h"
#include "table/table.h"

/* dwunw_mapping.table_id of a file that could not be read: no rules, and no guessing by frame pointer */
#define UNREADABLE_TABLE UINT32_MAX

#define USER_ADDRESS_END (1ULL << 56) /* above: [vsyscall] and the like */

/*
 * module.user: NULL until the module is held; then the table's address in table space, or this where there is none: the
 * module has no CFI, or its table was refused.
 */
#define NO_TABLE_ADDRESS ((void *)1)

static int hold(struct traced_env *env, struct module *module)
{
	struct module **larger = reallocarray(env->held, env->n_held + 1, sizeof(struct module *));

	if (!larger)
		return -ENOMEM;
	env->held = larger;
	env->held[env->n_held++] = module;
	module_hold(module);
	return 0;
}

void traced_env_release(struct traced_env *env)
{
	for (size_t i = 0; i < env->n_held; i++) {
		/* Others may know the module still, and later ones find it: it is in no table space now. */
		env->held[i]->user = NULL;
		module_put(env->modules, env->held[i]);
	}
	free(env->held);
}

struct module *traced_env_module(const struct traced_env *env, uint32_t id)
{
	for (size_t i = 0; i < env->n_held; i++) {
		if (env->held[i]->id == id)
			return env->held[i];
	}
	return NULL;
}

/* Address of the module's table in table space; 0: it has none there. */
static uint32_t load_table(struct traced_env *env, struct module *module)
{
	const struct table *table;
	uint32_t address = 0;
	int err;

	if (module->user)
		return module->user == NO_TABLE_ADDRESS ? 0 : (uint32_t)(uintptr_t)module->user;
	if (hold(env, module))
		return 0;
	module->user = NO_TABLE_ADDRESS;
	err = module_table(module, &table);
	if (err == -ENOENT)
		return 0;
	if (err || space_add(env->space, table, &address)) {
		env->tables_refused++;
		return 0;
	}
	module->user = (void *)(uintptr_t)address;
	env->tables++;
	return address;
}

static bool is_code(const struct mapping *mapping)
{
	return mapping->executable && mapping->end < USER_ADDRESS_END &&
	       strcmp(mapping->path, "[uprobes]") != 0;
}

static void tell_progress(const struct traced_env *env, size_t done, size_t all)
{
	if (env->progress)
		env->progress(done, all);
}

static void fill_mappings(struct traced_env *env, struct traced *traced, struct dwunw_mappings *ret)
{
	const struct process *process = traced->process;
	size_t n_code = 0;

	for (size_t i = 0; i < process->n_mappings; i++)
		n_code += is_code(&process->mappings[i]);
	traced->n_unreadable = 0;
	traced->unreadable_error = 0;
	for (size_t i = 0; i < process->n_mappings; i++) {
		const struct mapping *from = &process->mappings[i];
		struct dwunw_mapping *to = &ret->mappings[ret->n];
		const struct cfi *cfi;

		if (!is_code(from))
			continue;
		if (ret->n == DWUNW_MAX_MAPPINGS) {
			env->mappings_refused++;
			continue;
		}
		to->start = from->start;
		to->end = from->end;
		tell_progress(env, ret->n, n_code);
		if (from->module)
			to->table = load_table(env, from->module);
		if (from->module && module_cfi(from->module, &cfi) != -ENOENT) {
			to->load_bias = from->load_bias;
			to->table_id = from->module->id;
			to->flags = from->permanent ? DWUNW_MAPPING_PERMANENT : 0;
		} else if (from->error && from->error != -ENOEXEC) { /* JIT code can be in a file */
			to->table_id = UNREADABLE_TABLE;
			traced->n_unreadable++;
			if (!traced->unreadable_error)
				traced->unreadable_error = from->error;
		}
		ret->n++;
	}
}

const struct process *traced_code_at(struct traced *traced, uint32_t generation, uint64_t time_ns,
				     bool *permanent_only)
{
	const struct process *past = NULL;

	if (generation != traced->generation || traced->is_over)
		past = past_at(&traced->past, time_ns);
	*permanent_only = generation != traced->generation && !past;
	return past ? past : traced->process;
}

/* The file of a mapping that is gone by now, or is there still. */
static void attach_past(struct traced_env *env, const struct traced *traced, uint64_t time_ns,
			struct mapping *mapping)
{
	const struct process *now = traced->process;

	if (mapping->path[0] == '[') /* ours is the same one */
		mapping_attach_given(env->modules, mapping, NULL, 0);
	else
		mapping_attach_past(env->modules, traced->pid, time_ns, mapping);
	for (size_t i = 0; i < now->n_mappings && !mapping->module && mapping->inode; i++) {
		const struct mapping *same = &now->mappings[i];

		if (same->module && same->inode == mapping->inode &&
		    same->dev_major == mapping->dev_major &&
		    same->dev_minor == mapping->dev_minor && same->file_off == mapping->file_off) {
			mapping->module = same->module;
			mapping->load_bias = same->load_bias + mapping->start - same->start;
			mapping->error = 0;
			module_hold(mapping->module);
		}
	}
	if (mapping->module)
		load_table(env, mapping->module);
}

void traced_add_past(struct traced_env *env, struct traced *traced,
		     const struct history_record *record)
{
	struct mapping mapping = {
		.start = record->start,
		.end = record->end,
		.file_off = record->file_off,
		.inode = record->inode,
		.dev_major = record->dev_major,
		.dev_minor = record->dev_minor,
		.executable = true,
	};

	if (!traced->past.has_base)
		return;
	traced->past.done_ns = env->handled_ns;
	if (record->is_exec) { /* found by its time, whether its event has been seen or not */
		past_add_exec(env->modules, &traced->past, record->time_ns);
		return;
	}
	if (record->path[0] == '[' && strcmp(record->path, "[vdso]") != 0)
		return;
	mapping.path = strdup(record->path);
	if (!mapping.path) {
		past_clear(env->modules, &traced->past);
		return;
	}
	attach_past(env, traced, record->time_ns, &mapping);
	past_add(env->modules, &traced->past, record->time_ns, &mapping);
}

void traced_forget_past(struct traced_env *env, struct traced *traced)
{
	past_clear(env->modules, &traced->past);
}

/* -ESTALE: it is another process image by now. */
static int read_generation(const struct traced_env *env, const struct traced *traced, uint32_t *ret)
{
	struct dwunw_process process;

	if (bpf_map_lookup_elem(env->processes_fd, &traced->pidfd, &process))
		return errno == ENOENT ? -ESRCH : -errno;
	*ret = process.generation;
	return process.key == traced->key ? 0 : -ESTALE;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Reads the mappings, and from which generation of them on they are not to be trusted. -ESRCH, -ESTALE: there are none any more. */
static int read_mappings(struct traced_env *env, struct traced *traced, uint32_t *generation)
{
	struct mapping *mappings;
	uint32_t after = 0;
	size_t n;
	int err;

	/* first the generation, then the mappings: a change in between makes them stale, not wrong */
	err = read_generation(env, traced, generation);
	if (!err)
		err = maps_read(traced->pid, &mappings, &n);
	if (err)
		return err;
	err = read_generation(env, traced, &after);
	if (err) {
		maps_free(mappings, n);
		return err;
	}
	process_take_mappings(env->modules, traced->process, mappings, n, &traced->changed);
	traced->generation = after;
	traced->is_read = true;
	return 0;
}

static int publish(struct traced_env *env, struct traced *traced, struct dwunw_mappings *mappings)
{
	uint32_t generation = 0;
	int err = read_mappings(env, traced, &generation);

	traced->is_over = err == -ESRCH || err == -ESTALE;
	if (traced->is_over && !traced->is_read) /* what there is was of another image */
		process_take_mappings(env->modules, traced->process, NULL, 0, NULL);
	if (err) /* the next image is announced by an event, which is still to come */
		return err == -ESTALE ? 0 : err;
	if (env->history && !traced->past.has_base)
		past_begin(env->modules, &traced->past, traced->process, now_ns());
	if (!traced->permanent_known)
		traced->permanent_known = permanent_mark(env->modules, traced->process);
	mappings->process = traced->key;
	mappings->generation = generation;
	fill_mappings(env, traced, mappings);
	return shown_replace(&traced->shown, &env->places, mappings);
}

int traced_publish(struct traced_env *env, struct traced *traced)
{
	struct dwunw_mappings *mappings = calloc(1, sizeof(*mappings));
	int err = -ENOMEM;

	traced->read_ns = now_ns();
	if (mappings)
		err = publish(env, traced, mappings);
	free(mappings);
	if (err && err != -ESRCH)
		env->refresh_failures++;
	return err;
}

bool traced_has_ended(const struct traced *traced)
{
	struct pollfd fd = {.fd = traced->pidfd, .events = POLLIN};

	return poll(&fd, 1, 0) == 1;
}

/* Without it (static programs, other linkers) removals go unnoticed until the next exec. */
static void attach_hook(struct traced_env *env, struct traced *traced)
{
	const struct mapping *mapping;
	uint64_t vaddr, r_debug, offset;
	struct probe probe;
	char path[64];
	int fd;

	probe_detach(&traced->hook);
	mapping = linker_find(traced->process, &vaddr, &r_debug);
	if (!mapping || elf_file_vaddr_to_off(mapping->module->elf, vaddr, &offset))
		return;
	fd = process_open_mapping(traced->pid, mapping);
	if (fd < 0)
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	/* r_state; 0, unknown: every call of the hook counts as a removal */
	probe = (struct probe){.offset = offset,
			       .cookie = r_debug ? r_debug + offsetof(struct r_debug, r_state) : 0};
	probe_attach(env->link_map_program, traced->pid, path, &probe, 1, false, &traced->hook);
	close(fd);
}

static int register_process(struct traced_env *env, struct traced *traced)
{
	struct dwunw_process process = {.key = env->next_key};

	if (bpf_map_update_elem(env->processes_fd, &traced->pidfd, &process, BPF_NOEXIST) == 0) {
		env->next_key += 2;
		traced->key = process.key;
		return 0;
	}
	if (errno != EEXIST)
		return -errno;
	/* its first event came before us */
	if (bpf_map_lookup_elem(env->processes_fd, &traced->pidfd, &process))
		return -errno;
	traced->key = process.key;
	return 0;
}

int traced_create(struct traced_env *env, pid_t pid, uint64_t key, struct traced **ret)
{
	struct traced *traced = calloc(1, sizeof(*traced));
	int err;

	if (!traced)
		return -ENOMEM;
	traced->pid = pid;
	traced->key = key;
	traced->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	err = traced->pidfd < 0 ? -errno : 0;
	if (!err && !key)
		err = register_process(env, traced);
	if (!err)
		err = process_open(env->modules, pid, &traced->process);
	if (err) {
		traced_destroy(env, traced);
		return err;
	}
	attach_hook(env, traced);
	*ret = traced;
	return 0;
}

void traced_destroy(struct traced_env *env, struct traced *traced)
{
	if (!traced)
		return;
	probe_detach(&traced->hook);
	shown_hide(&traced->shown, &env->places);
	past_clear(env->modules, &traced->past);
	if (traced->process)
		process_close(env->modules, traced->process);
	if (traced->pidfd >= 0)
		close(traced->pidfd);
	free(traced);
}

void traced_exec(struct traced_env *env, struct traced *traced, uint64_t key)
{
	uint32_t generation;

	shown_hide(&traced->shown, &env->places);
	traced->key = key;
	traced->is_read = traced->is_over = false;
	traced->permanent_known = false;
	permanent_clear(traced->process);
	/* not for one that has gone: a process may call exec often while we are behind, and probes take milliseconds */
	if (read_generation(env, traced, &generation) == 0 &&
	    process_refresh(env->modules, traced->process, NULL) == 0)
		attach_hook(env, traced);
}

int traced_renew(struct traced_env *env, struct traced *traced)
{
	int err = register_process(env, traced);

	if (err)
		return err;
	traced_exec(env, traced, traced->key);
	return traced_publish(env, traced);
}
