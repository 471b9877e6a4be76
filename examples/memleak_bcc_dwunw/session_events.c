/* SPDX-License-Identifier: BSD-2-Clause */
/* What memleak's probes tell of as it happens: children, and the calls of the mmap family, of which each target has a ledger. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "clock.h"
#include "mappings_ledger.h"
#include "memleak_dwunw.skel.h"
#include "message.h"
#include "process/process.h"
#include "session_internal.h"

#define LOOK_INTERVAL_MS 100
#define WAIT_INTERVAL_MS 10 /* while a child is about to map its allocator */

/* The ledger of the image that a record is of. */
static int ledger_of(struct target *target, uint64_t image)
{
	if (!target->mappings) {
		int err =
			mappings_ledger_create((uint64_t)sysconf(_SC_PAGESIZE), &target->mappings);

		if (err)
			return err;
	}
	if (target->mappings_image != image)
		mappings_ledger_clear(target->mappings);
	target->mappings_image = image;
	return 0;
}

static int add_mapping(struct target *target, const struct memleak_mapping *mapping)
{
	const struct allocators *allocators = &target->allocators;
	const struct mappings_block block = {
		.start = mapping->addr,
		.end = mapping->addr + mapping->size,
		.time_ns = mapping->time_ns,
		.stack_id = mapping->stack_id,
	};

	switch (mapping->kind) {
	case MEMLEAK_MAPPED:
		if (!target->process ||
		    !allocator_maps_for_itself(allocators, target->process, mapping->caller,
					       mapping->reserves))
			return mappings_ledger_map(target->mappings, &block);
		/* fallthrough */
	case MEMLEAK_MAPPED_OVER:
		return mappings_ledger_unmap(target->mappings, mapping->addr, mapping->size);
	case MEMLEAK_UNMAPPING:
		return mappings_ledger_take(target->mappings, mapping->tid, mapping->addr,
					    mapping->size);
	default:
		return mappings_ledger_restore(target->mappings, mapping->tid);
	}
}

static void on_mapping(struct session *session, const struct memleak_mapping *mapping)
{
	struct target *target = &session->targets[mapping->target % MEMLEAK_MAX_TARGETS];
	int err;

	/* the place may have another owner by now */
	if (!target->pid ||
	    mapping->image >> 32 != session->skel->bss->target_tgids[target - session->targets])
		return;
	err = ledger_of(target, mapping->image);
	if (!err)
		err = add_mapping(target, mapping);
	if (err == -ENOMEM)
		message_once("mappings lost: %s", strerror(ENOMEM));
}

static int on_event(void *arg, void *data, size_t size)
{
	struct session *session = arg;

	(void)size;
	switch (*(const __u32 *)data) {
	case MEMLEAK_EVENT_CHILD:
		children_handle(session, data);
		break;
	case MEMLEAK_EVENT_EXEC:
		session->child_execs = true;
		break;
	case MEMLEAK_EVENT_EXEC_BY_THREAD:
		session_note_exec_by_thread(session, data);
		break;
	case MEMLEAK_EVENT_MAPPING:
		on_mapping(session, data);
		break;
	}
	return 0;
}

int session_events_start(struct session *session)
{
	int fd = bpf_map__fd(session->skel->maps.memleak_events);

	session->memleak_events = ring_buffer__new(fd, on_event, session, NULL);
	return session->memleak_events ? 0 : -errno;
}

void session_events_handle(struct session *session)
{
	if (session->memleak_events)
		ring_buffer__consume(session->memleak_events);
	if (session->child_execs) {
		session->child_execs = false;
		session_child_execs(session);
	}
	session_attach_again(session);
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* A program that has just begun: it is worth a closer look. */
static int64_t look_at_waiting(struct session *session, int64_t now, int64_t deadline_ms)
{
	if (!children_wait_for_allocator(session))
		return deadline_ms;
	if (now < session->next_first_look_ms)
		return sooner(session->next_first_look_ms, deadline_ms);
	session->next_first_look_ms = now + WAIT_INTERVAL_MS;
	for (unsigned int i = 0; i < session->n_targets; i++)
		if (target_waits(&session->targets[i]) && !session->targets[i].ended)
			target_symbols(session, &session->targets[i]);
	return sooner(session->next_first_look_ms, deadline_ms);
}

int64_t session_look_for_allocators(struct session *session, int64_t deadline_ms)
{
	int64_t now = monotonic_ms();

	deadline_ms = look_at_waiting(session, now, deadline_ms);
	if (!session->mappings_changed || session->options.object)
		return deadline_ms;
	if (now < session->next_look_ms)
		return sooner(session->next_look_ms, deadline_ms);
	session->mappings_changed = false;
	session->next_look_ms = now + LOOK_INTERVAL_MS;
	for (unsigned int i = 0; i < session->n_targets; i++)
		if (session->targets[i].pid && !session->targets[i].ended)
			target_symbols(session, &session->targets[i]);
	return deadline_ms;
}

void session_drop_old_mappings(struct session *session)
{
	for (unsigned int i = 0; i < session->n_targets; i++) {
		struct target *target = &session->targets[i];
		uint64_t image = session->skel->bss->target_images[i];

		if (target->mappings && image && image != target->mappings_image)
			mappings_ledger_clear(target->mappings);
	}
}
