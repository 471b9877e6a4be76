/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolize/strings.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 1024

/* FNV-1a, 64 bits: draft-eastlake-fnv */
static uint64_t hash_of(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * 0x100000001b3ULL;
	return hash;
}

static int grow(struct strings *strings)
{
	size_t n_slots = strings->n_slots ? 2 * strings->n_slots : FIRST_SLOTS;
	struct kept_string **slots = calloc(n_slots, sizeof(*slots));

	if (!slots)
		return -1;
	for (size_t i = 0; i < strings->n_slots; i++) {
		for (struct kept_string *s = strings->slots[i], *next; s; s = next) {
			struct kept_string **slot = &slots[s->hash % n_slots];

			next = s->next;
			s->next = *slot;
			*slot = s;
		}
	}
	free(strings->slots);
	strings->slots = slots;
	strings->n_slots = n_slots;
	return 0;
}

const char *strings_keep(struct strings *strings, const char *text)
{
	uint64_t hash = hash_of(text);
	size_t size = strlen(text) + 1;
	struct kept_string *kept, **slot;

	if (strings->n >= strings->n_slots && grow(strings))
		return NULL;
	slot = &strings->slots[hash % strings->n_slots];
	for (kept = *slot; kept; kept = kept->next)
		if (kept->hash == hash && strcmp(kept->text, text) == 0)
			return kept->text;
	kept = malloc(sizeof(*kept) + size);
	if (!kept)
		return NULL;
	memcpy(kept->text, text, size);
	kept->hash = hash;
	kept->next = *slot;
	*slot = kept;
	strings->n++;
	strings->bytes += sizeof(*kept) + size;
	return kept->text;
}

void strings_free(struct strings *strings)
{
	for (size_t i = 0; i < strings->n_slots; i++) {
		for (struct kept_string *s = strings->slots[i], *next; s; s = next) {
			next = s->next;
			free(s);
		}
	}
	free(strings->slots);
	*strings = (struct strings){0};
}
