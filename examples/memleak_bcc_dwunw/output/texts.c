/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/texts.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

struct numbered {
	int64_t number;
	char text[];
};

static int compare(const void *left, const void *right)
{
	return strcmp(((const struct numbered *)left)->text,
		      ((const struct numbered *)right)->text);
}

static int grow(struct texts *texts)
{
	size_t room = texts->room ? 2 * texts->room : 256;
	char **list = reallocarray(texts->list, room, sizeof(*list));

	if (!list)
		return -ENOMEM;
	texts->list = list;
	texts->room = room;
	return 0;
}

int texts_add(struct texts *texts, const char *text, int64_t *ret)
{
	size_t size = strlen(text) + 1;
	struct numbered *entry = malloc(sizeof(*entry) + size), **found;

	if (!entry)
		return -ENOMEM;
	memcpy(entry->text, text, size);
	entry->number = (int64_t)texts->n;
	if (texts->n == texts->room && grow(texts)) {
		free(entry);
		return -ENOMEM;
	}
	found = tsearch(entry, &texts->root, compare);
	if (!found) {
		free(entry);
		return -ENOMEM;
	}
	*ret = (*found)->number;
	if (*found == entry)
		texts->list[texts->n++] = entry->text;
	else
		free(entry);
	return 0;
}

void texts_free(struct texts *texts)
{
	tdestroy(texts->root, free);
	free(texts->list);
	*texts = (struct texts){};
}
