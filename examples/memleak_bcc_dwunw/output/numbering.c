/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/numbering.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

struct numbered {
	struct numbering_key key; /* first: it is what keys are compared with */
	uint32_t number;
};

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct numbering_key));
}

int numbering_look(const struct numbering *numbering, const struct numbering_key *key,
		   uint32_t *ret)
{
	void *const *found = tfind(key, &numbering->root, compare);

	if (!found)
		return -ENOENT;
	*ret = ((const struct numbered *)*found)->number;
	return 0;
}

static int make_room(struct numbering *numbering)
{
	size_t room = numbering->room ? 2 * numbering->room : 64;
	const struct numbering_key **keys =
		reallocarray(numbering->keys, room, sizeof(*numbering->keys));

	if (!keys)
		return -ENOMEM;
	numbering->keys = keys;
	numbering->room = room;
	return 0;
}

int numbering_find(struct numbering *numbering, const struct numbering_key *key, uint32_t *ret)
{
	struct numbered *added;

	if (!numbering_look(numbering, key, ret))
		return 0;
	if (numbering->n == numbering->room && make_room(numbering))
		return -ENOMEM;
	added = malloc(sizeof(*added));
	if (!added)
		return -ENOMEM;
	added->key = *key;
	added->number = (uint32_t)numbering->n;
	if (!tsearch(added, &numbering->root, compare)) {
		free(added);
		return -ENOMEM;
	}
	numbering->keys[numbering->n++] = &added->key;
	*ret = added->number;
	return 0;
}

void numbering_free(struct numbering *numbering)
{
	tdestroy(numbering->root, free);
	free(numbering->keys);
	*numbering = (struct numbering){};
}
