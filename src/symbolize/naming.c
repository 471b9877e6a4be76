/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolize/naming.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbolize/debug_worker.h"
#include "symbolize/debuginfod.h"
#include "symbolize/demangle.h"
#include "symbolize/short_name.h"

/* Names and paths of what was shown, in bytes. */
#define MAX_STRINGS (256u << 20)
#define MAX_TOLD 256

/* NULL stays NULL. */
static int copy(const char **text)
{
	if (!*text)
		return 0;
	*text = strdup(*text);
	return *text ? 0 : -ENOMEM;
}

static int copy_prefixes(struct symbolizer_options *options)
{
	const char *const *from = options->source_prefixes;
	const char **to = calloc(options->n_source_prefixes + 1, sizeof(*to));
	size_t n = options->n_source_prefixes;
	int err = to ? 0 : -ENOMEM;

	options->n_source_prefixes = 0;
	options->source_prefixes = to;
	for (size_t i = 0; i < n && !err; i++) {
		to[i] = from[i];
		err = copy(&to[i]);
		options->n_source_prefixes += !err;
	}
	return err;
}

int naming_create(const struct symbolizer_options *options, struct naming **ret)
{
	struct naming *naming = calloc(1, sizeof(*naming));
	int err;

	if (!naming)
		return -ENOMEM;
	if (options) {
		naming->options = *options;
		naming->options.debuginfod = NULL; /* the server has its own copy */
	}
	err = copy_prefixes(&naming->options);
	if (copy(&naming->options.debug_root))
		err = -ENOMEM;
	naming->worker = debug_worker_create();
	if (!naming->worker)
		err = -ENOMEM;
	if (!err && options && options->debuginfod)
		err = debuginfod_create(options->debuginfod, options->tell, options->progress,
					&naming->server);
	if (err) {
		naming_destroy(naming);
		return err;
	}
	*ret = naming;
	return 0;
}

void naming_destroy(struct naming *naming)
{
	if (!naming)
		return;
	for (size_t i = 0; i < naming->options.n_source_prefixes; i++)
		free((char *)naming->options.source_prefixes[i]);
	free((void *)naming->options.source_prefixes);
	free((char *)naming->options.debug_root);
	debug_worker_destroy(naming->worker);
	debuginfod_destroy(naming->server);
	strings_free(&naming->strings);
	strings_free(&naming->told);
	free(naming);
}

static void tell(const struct naming *naming, const char *line)
{
	if (naming->options.tell)
		naming->options.tell(line);
}

void naming_tell_once(struct naming *naming, const char *format, ...)
{
	size_t n = naming->told.n;
	char line[PATH_MAX + 256];
	va_list args;

	if (n > MAX_TOLD)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (n == MAX_TOLD)
		strcpy(line, "names: what cannot be used of more files is not said");
	if (strings_keep(&naming->told, line) && naming->told.n > n)
		tell(naming, line);
}

const char *naming_keep(struct naming *naming, const char *text)
{
	if (naming->strings.bytes < MAX_STRINGS)
		return strings_keep(&naming->strings, text);
	naming_lost(naming, LOSS_STRINGS, 1, "");
	return NULL;
}

void naming_lost(struct naming *naming, enum loss loss, uint64_t n, const char *path)
{
	struct loss_count *count = &naming->losses[loss];

	if (n && !count->first)
		count->first = strings_keep(&naming->strings, path);
	count->n += n;
}

void naming_tell_losses(struct naming *naming)
{
	static const char *const texts[] = {
#define LOSS_TEXT_OF(name, text) [LOSS_##name] = text,
		LOSSES(LOSS_TEXT_OF)
#undef LOSS_TEXT_OF
	};
	char line[PATH_MAX + 256];

	for (size_t i = 0; i < N_LOSSES; i++) {
		struct loss_count *count = &naming->losses[i];
		bool has_path = count->first && count->first[0];

		if (count->n == count->told)
			continue;
		snprintf(line, sizeof(line), "names: %" PRIu64 " %s%s%s%s", count->n, texts[i],
			 has_path ? " (first in " : "", has_path ? count->first : "",
			 has_path ? ")" : "");
		tell(naming, line);
		count->told = count->n;
	}
}

const char *naming_function(struct naming *naming, const char *raw, const char *suffix)
{
	char *name = naming->options.no_demangle ? strndup(raw, strcspn(raw, "@")) : demangle(raw);
	char *shown = name, *whole = NULL;
	const char *kept = NULL;

	if (name && naming->options.short_names)
		shown = short_name(name);
	if (shown && suffix[0])
		whole = asprintf(&whole, "%s%s", shown, suffix) < 0 ? NULL : whole;
	if (shown)
		kept = naming_keep(naming, whole ? whole : shown);
	if (shown != name)
		free(shown);
	free(whole);
	free(name);
	return kept;
}

/* What of `path` lies below `folder`; NULL: it does not. */
static const char *below(const char *path, const char *folder, size_t size)
{
	while (size && folder[size - 1] == '/')
		size--;
	if (strncmp(path, folder, size) != 0 || path[size] != '/')
		return NULL;
	path += size;
	while (*path == '/')
		path++;
	return path;
}

/* By the option's first OLD=NEW that fits. NULL: none does; else to be freed. */
static char *replace_prefix(const struct symbolizer_options *options, const char *path)
{
	for (size_t i = 0; i < options->n_source_prefixes; i++) {
		const char *old = options->source_prefixes[i], *equals = strchr(old, '=');
		const char *rest = equals ? below(path, old, (size_t)(equals - old)) : NULL;
		const char *slash;
		char *whole;

		if (!rest)
			continue;
		slash = equals[1] && equals[strlen(equals) - 1] != '/' ? "/" : "";
		if (asprintf(&whole, "%s%s%s", equals + 1, slash, rest) >= 0)
			return whole;
	}
	return NULL;
}

/* The whole path, to be freed; NULL: no memory. */
static char *absolute(const char *file, const char *folder)
{
	char *whole;

	if (file[0] == '/' || !folder || folder[0] != '/')
		return strdup(file);
	return asprintf(&whole, "%s/%s", folder, file) < 0 ? NULL : whole;
}

const char *naming_path(struct naming *naming, const char *file, const char *folder)
{
	char *whole = absolute(file, folder);
	char *replaced = whole ? replace_prefix(&naming->options, whole) : NULL;
	const char *shown = file, *rest = NULL;

	if (!replaced && folder && folder[0] == '/')
		rest = below(file, folder, strlen(folder));
	if (rest && rest[0])
		shown = rest;
	while (strncmp(shown, "./", 2) == 0)
		shown += 2;
	shown = naming_keep(naming, replaced ? replaced : shown);
	free(replaced);
	free(whole);
	return shown;
}
