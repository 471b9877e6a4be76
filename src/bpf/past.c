/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/past.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 2048
#define MAX_RECORDS (1 << 15)
#define MAX_MAPPINGS 8192 /* more code than that at a time is not remembered */

struct past_record {
	uint64_t time_ns;
	bool is_exec;		/* instead of a mapping */
	struct mapping mapping; /* else all zero */
};

static void free_mapping(struct module_cache *cache, struct mapping *mapping)
{
	module_put(cache, mapping->module);
	free(mapping->path);
}

static void forget_view(struct past *past)
{
	free(past->view.mappings);
	past->view = (struct process){};
	past->n_applied = 0;
}

void past_clear(struct module_cache *cache, struct past *past)
{
	forget_view(past);
	process_clear(cache, &past->base);
	for (size_t i = 0; i < past->n_records; i++)
		free_mapping(cache, &past->records[i].mapping);
	free(past->records);
	*past = (struct past){};
}

/* Copies of the executable mappings of `from`, which own what they point to. */
static int copy_code(struct module_cache *cache, const struct process *from, struct process *ret)
{
	struct process copy = {.mappings = calloc(from->n_mappings + 1, sizeof(struct mapping))};

	if (!copy.mappings)
		return -ENOMEM;
	for (size_t i = 0; i < from->n_mappings; i++) {
		struct mapping *to = &copy.mappings[copy.n_mappings];

		if (!from->mappings[i].executable)
			continue;
		*to = from->mappings[i];
		to->path = strdup(to->path);
		if (!to->path) {
			process_clear(cache, &copy);
			return -ENOMEM;
		}
		if (to->module)
			module_hold(to->module);
		copy.n_mappings++;
	}
	*ret = copy;
	return 0;
}

int past_begin(struct module_cache *cache, struct past *past, const struct process *process,
	       uint64_t now_ns)
{
	struct process base;
	int err = copy_code(cache, process, &base);

	past_clear(cache, past);
	if (err)
		return err;
	past->base = base;
	past->base_ns = now_ns;
	past->has_base = true;
	return 0;
}

static bool overlap(const struct mapping *a, const struct mapping *b)
{
	return a->start < b->end && b->start < a->end;
}

/* Puts `mapping` into the view, over what was there: of a mapping that it hides in part the rest stays. */
static int apply(struct process *view, const struct mapping *mapping)
{
	size_t n = 0;
	struct mapping *to = malloc((view->n_mappings + 2) * sizeof(*to));

	if (!to || view->n_mappings > MAX_MAPPINGS) {
		free(to);
		return -ENOMEM;
	}
	for (size_t i = 0; i < view->n_mappings && view->mappings[i].start < mapping->start; i++) {
		to[n] = view->mappings[i];
		if (to[n].end > mapping->start)
			to[n].end = mapping->start;
		n++;
	}
	to[n++] = *mapping;
	for (size_t i = 0; i < view->n_mappings; i++) {
		const struct mapping *old = &view->mappings[i];

		if (old->end <= mapping->end)
			continue;
		to[n] = *old;
		if (overlap(old, mapping)) {
			to[n].file_off += mapping->end - old->start;
			to[n].start = mapping->end;
		}
		n++;
	}
	free(view->mappings);
	view->mappings = to;
	view->n_mappings = n;
	return 0;
}

/* The base alone. */
static int begin_view(struct past *past)
{
	size_t size = past->base.n_mappings * sizeof(struct mapping);

	forget_view(past);
	past->view.mappings = malloc(size + 1);
	if (!past->view.mappings)
		return -ENOMEM;
	memcpy(past->view.mappings, past->base.mappings, size);
	past->view.n_mappings = past->base.n_mappings;
	return 0;
}

static int make_view(struct past *past, uint64_t time_ns)
{
	int err = 0;

	if (!past->view.mappings ||
	    (past->n_applied && past->records[past->n_applied - 1].time_ns > time_ns))
		err = begin_view(past);
	while (!err && past->n_applied < past->n_records &&
	       past->records[past->n_applied].time_ns <= time_ns) {
		const struct past_record *record = &past->records[past->n_applied];

		if (record->is_exec)
			past->view.n_mappings = 0;
		else
			err = apply(&past->view, &record->mapping);
		past->n_applied += !err;
	}
	if (err)
		forget_view(past);
	return err;
}

const struct process *past_at(struct past *past, uint64_t time_ns)
{
	if (!past->has_base || time_ns < past->base_ns || make_view(past, time_ns))
		return NULL;
	return &past->view;
}

/* The first `n` records, and those of the same time, go into the base. */
static int settle(struct module_cache *cache, struct past *past, size_t n)
{
	uint64_t until = past->records[n - 1].time_ns;
	struct process base;
	int err = make_view(past, until);

	if (!err)
		err = copy_code(cache, &past->view, &base);
	if (err)
		return err;
	while (n < past->n_records && past->records[n].time_ns <= until)
		n++;
	process_clear(cache, &past->base);
	past->base = base;
	past->base_ns = until > past->base_ns ? until : past->base_ns;
	for (size_t i = 0; i < n; i++)
		free_mapping(cache, &past->records[i].mapping);
	past->n_records -= n;
	memmove(past->records, past->records + n, past->n_records * sizeof(*past->records));
	forget_view(past);
	return 0;
}

static size_t count_done(const struct past *past)
{
	size_t low = 0, high = past->n_records;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (past->records[mid].time_ns <= past->done_ns)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* For one more record: by forgetting what nobody will ask for, if that is much; else, as long as it can be, by more memory. */
static int make_room(struct module_cache *cache, struct past *past)
{
	size_t size = past->size ? 2 * past->size : FIRST_SIZE, n_done = count_done(past);
	struct past_record *larger;

	if (past->n_records < past->size)
		return 0;
	if (past->size && (n_done >= past->size / 2 || size > MAX_RECORDS))
		return settle(cache, past, n_done > past->size / 2 ? n_done : past->size / 2);
	larger = reallocarray(past->records, size, sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	past->records = larger;
	past->size = size;
	return 0;
}

/* Takes over what the record has. */
static int add(struct module_cache *cache, struct past *past, struct past_record *record)
{
	int err = make_room(cache, past);
	size_t at;

	if (err) {
		free_mapping(cache, &record->mapping);
		past_clear(cache, past);
		return err;
	}
	for (at = past->n_records; at && past->records[at - 1].time_ns > record->time_ns; at--)
		past->records[at] = past->records[at - 1];
	past->records[at] = *record;
	past->n_records++;
	if (at < past->n_applied)
		forget_view(past);
	return 0;
}

int past_add(struct module_cache *cache, struct past *past, uint64_t time_ns,
	     struct mapping *mapping)
{
	struct past_record record = {.time_ns = time_ns, .mapping = *mapping};

	return add(cache, past, &record);
}

int past_add_exec(struct module_cache *cache, struct past *past, uint64_t time_ns)
{
	struct past_record record = {.time_ns = time_ns, .is_exec = true};

	return add(cache, past, &record);
}
