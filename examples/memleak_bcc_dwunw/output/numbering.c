/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/numbering.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_PLACES 256

static size_t place_of(const struct numbering *numbering, const struct numbering_key *key)
{
	uint64_t hash = 0;
	size_t i;

	for (size_t word = 0; word < NUMBERING_WORDS; word++) {
		hash = (hash ^ key->words[word]) * 0x9e3779b97f4a7c15ULL;
		hash ^= hash >> 32;
	}
	i = hash & (numbering->n_places - 1);
	while (numbering->places[i] &&
	       memcmp(&numbering->keys[numbering->places[i] - 1], key, sizeof(*key)) != 0)
		i = (i + 1) & (numbering->n_places - 1);
	return i;
}

static int grow(struct numbering *numbering)
{
	size_t n_places = numbering->n_places ? 2 * numbering->n_places : FIRST_PLACES;
	struct numbering_key *keys =
		reallocarray(numbering->keys, n_places / 2, sizeof(*numbering->keys));
	uint32_t *places;

	if (!keys)
		return -ENOMEM;
	numbering->keys = keys;
	places = calloc(n_places, sizeof(*places));
	if (!places)
		return -ENOMEM;
	free(numbering->places);
	numbering->places = places;
	numbering->n_places = n_places;
	for (size_t i = 0; i < numbering->n; i++)
		places[place_of(numbering, &keys[i])] = (uint32_t)i + 1;
	return 0;
}

int numbering_find(struct numbering *numbering, const struct numbering_key *key, uint32_t *ret)
{
	size_t place;

	if (2 * numbering->n >= numbering->n_places && grow(numbering))
		return -ENOMEM;
	place = place_of(numbering, key);
	if (!numbering->places[place]) {
		numbering->keys[numbering->n++] = *key;
		numbering->places[place] = (uint32_t)numbering->n;
	}
	*ret = numbering->places[place] - 1;
	return 0;
}

int numbering_look(const struct numbering *numbering, const struct numbering_key *key,
		   uint32_t *ret)
{
	uint32_t kept = numbering->n ? numbering->places[place_of(numbering, key)] : 0;

	if (!kept)
		return -ENOENT;
	*ret = kept - 1;
	return 0;
}

void numbering_free(struct numbering *numbering)
{
	free(numbering->keys);
	free(numbering->places);
	*numbering = (struct numbering){};
}
