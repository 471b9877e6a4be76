/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/shown.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

static __u32 place_of(uint64_t key)
{
	return key % DWUNW_MAX_PROCESSES;
}

static bool is_known(const struct shown *shown, const struct shown_places *places,
		     const struct dwunw_mappings *mappings)
{
	return shown->process == mappings->process &&
	       places->keys[place_of(mappings->process)] == mappings->process &&
	       shown->generation == mappings->generation && shown->n == mappings->n &&
	       memcmp(shown->mappings, mappings->mappings, shown->n * sizeof(*shown->mappings)) ==
		       0;
}

/* The next permanent one from *i on, or NULL. */
static const struct dwunw_mapping *next_permanent(const struct dwunw_mapping *mappings, uint32_t n,
						  uint32_t *i)
{
	while (*i < n && !(mappings[*i].flags & DWUNW_MAPPING_PERMANENT))
		++*i;
	return *i < n ? &mappings[(*i)++] : NULL;
}

/* What is remembered of the permanent mappings holds as long as they are the same. */
static bool same_permanent(const struct shown *shown, const struct dwunw_mappings *mappings)
{
	const struct dwunw_mapping *a, *b;
	uint32_t i = 0, j = 0;

	if (shown->process != mappings->process)
		return false;
	do {
		a = next_permanent(shown->mappings, shown->n, &i);
		b = next_permanent(mappings->mappings, mappings->n, &j);
		if (a && b && memcmp(a, b, sizeof(*a)) != 0)
			return false;
	} while (a && b);
	return !a && !b;
}

static int show(const struct shown_places *places, const struct dwunw_mappings *mappings)
{
	__u32 zero = 0, place = place_of(mappings->process);
	int fd, err = 0;

	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "dwunw_mapping", sizeof(__u32), sizeof(*mappings),
			    1, NULL);
	if (fd < 0)
		return fd;
	if (bpf_map_update_elem(fd, &zero, mappings, BPF_ANY) ||
	    bpf_map_update_elem(places->fd, &place, &fd, BPF_ANY))
		err = -errno;
	close(fd);
	return err;
}

int shown_replace(struct shown *shown, struct shown_places *places, struct dwunw_mappings *mappings)
{
	size_t size = mappings->n * sizeof(*shown->mappings);
	struct dwunw_mapping *copy;
	int err;

	if (is_known(shown, places, mappings))
		return 0;
	copy = malloc(size ? size : 1);
	if (!copy)
		return -ENOMEM;
	mappings->epoch = places->next_epoch++;
	mappings->permanent_epoch =
		same_permanent(shown, mappings) ? shown->permanent_epoch : places->next_epoch++;
	err = show(places, mappings);
	if (err) {
		free(copy);
		return err;
	}
	memcpy(copy, mappings->mappings, size);
	free(shown->mappings);
	*shown = (struct shown){.process = mappings->process,
				.permanent_epoch = mappings->permanent_epoch,
				.generation = mappings->generation,
				.n = mappings->n,
				.mappings = copy};
	places->keys[place_of(mappings->process)] = mappings->process;
	return 0;
}

void shown_hide(struct shown *shown, struct shown_places *places)
{
	__u32 place = place_of(shown->process);

	/* another process may have the place by now */
	if (shown->process && places->keys[place] == shown->process) {
		bpf_map_delete_elem(places->fd, &place);
		places->keys[place] = 0;
	}
	free(shown->mappings);
	*shown = (struct shown){};
}
