/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "output/compare.h"
#include "output/json_read.h"
#include "output/output_file.h"
#include "output/view.h"
#include "output/writers.h"
#include "privileges.h"

struct outputs {
	struct outputs_options options;
	struct output_times times;
	struct view *before; /* NULL: none */
	bool *begun;	     /* by path: files that are appended to have this run's first report */
};

/* What a file holds, by the end of its name. */
static const struct kind {
	const char *end;
	enum output_kind kind;
	bool appends; /* a file of several reports is one after the other */
	int (*write)(FILE *out, const struct view *view, const struct output_how *how);
} kinds[] = {
	{".txt", OUTPUT_TXT, false, output_write_text},
	{".json", OUTPUT_JSON, true, output_write_json},
	{".html", OUTPUT_HTML, false, output_write_html},
	{".folded", OUTPUT_FOLDED, false, output_write_folded},
	{".pb.gz", OUTPUT_PPROF, false, output_write_pprof},
};

/* NULL: none of these. */
static const struct kind *kind_of(const char *path)
{
	size_t length = strlen(path);

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t end = strlen(kinds[i].end);

		if (length > end && strcmp(path + length - end, kinds[i].end) == 0)
			return &kinds[i];
	}
	return NULL;
}

int output_kind(const char *path, enum output_kind *ret)
{
	const struct kind *kind = kind_of(path);

	if (!kind)
		return -EINVAL;
	*ret = kind->kind;
	return 0;
}

static int tell(const char *path, int err)
{
	if (err)
		message("cannot write %s: %s", path, strerror(-err));
	return err;
}

/* What would go wrong with every report is found before the first. */
static int check(const char *path)
{
	struct output_times times = {};
	char time_text[64], *name;
	int err;

	output_time(&times, time(NULL), time_text);
	name = output_name(path, time_text);
	err = name ? output_file_check(name) : -ENOMEM;
	free(name);
	return tell(path, err);
}

/* Each of two of one name would be in the place of the other. */
static int check_names(const struct outputs_options *options)
{
	for (size_t i = 0; i < options->n_paths; i++) {
		for (size_t k = 0; k < i; k++) {
			if (strcmp(options->paths[i], options->paths[k]) != 0)
				continue;
			message("--output %s: given twice", options->paths[i]);
			return -EINVAL;
		}
	}
	return 0;
}

static int read_before(struct outputs *outputs)
{
	const char *path = outputs->options.diff;
	char why[JSON_MAX_REASON];
	int err = path ? json_read_file(path, &outputs->before, why) : 0;

	if (err)
		message("--diff %s: %s", path, why);
	return err;
}

int outputs_create(const struct outputs_options *options, struct outputs **ret)
{
	struct outputs *outputs = calloc(1, sizeof(*outputs));
	int err;

	if (outputs)
		outputs->begun = calloc(options->n_paths + 1, sizeof(*outputs->begun));
	if (!outputs || !outputs->begun) {
		message("%s", strerror(ENOMEM));
		outputs_destroy(outputs);
		return -ENOMEM;
	}
	outputs->options = *options;
	privileges_lower();
	err = check_names(options);
	for (size_t i = 0; i < options->n_paths && !err; i++)
		err = check(options->paths[i]);
	if (!err)
		err = read_before(outputs);
	privileges_raise();
	if (err)
		outputs_destroy(outputs);
	else
		*ret = outputs;
	return err;
}

void outputs_destroy(struct outputs *outputs)
{
	if (!outputs)
		return;
	view_free(outputs->before);
	free(outputs->begun);
	free(outputs);
}

int outputs_compare(const struct outputs *outputs, struct view *view)
{
	return outputs->before ? view_compare(view, outputs->before) : 0;
}

/* In memory: a file is begun when all of it is there. To be freed. */
static int make(const struct kind *kind, const struct view *view, const struct output_how *how,
		char **ret, size_t *ret_size)
{
	char *bytes = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&bytes, &size);
	int err;

	if (!out)
		return -ENOMEM;
	err = kind->write(out, view, how);
	if (!err && ferror(out))
		err = -ENOMEM;
	if (fclose(out) && !err)
		err = -ENOMEM;
	if (err) {
		free(bytes);
		return err;
	}
	*ret = bytes;
	*ret_size = size;
	return 0;
}

static int write_one(struct outputs *outputs, size_t i, const char *time_text,
		     const struct view *view, const struct output_how *how)
{
	const char *path = outputs->options.paths[i];
	const struct kind *kind = kind_of(path);
	char *name = output_name(path, time_text), *bytes = NULL;
	size_t n;
	int err = name ? make(kind, view, how, &bytes, &n) : -ENOMEM;

	if (!err && kind->appends && outputs->begun[i])
		err = output_file_append(name, bytes, n);
	else if (!err)
		err = output_file_replace(name, bytes, n);
	if (!err && !output_has_time(path))
		outputs->begun[i] = true;
	tell(name ? name : path, err);
	free(bytes);
	free(name);
	return err;
}

int outputs_write(struct outputs *outputs, const struct view *view, const char *report)
{
	const struct output_how how = {
		.report = report,
		.folded_count = outputs->options.folded_count,
	};
	char time_text[64];
	int err = 0;

	output_time(&outputs->times, view->when.tv_sec, time_text);
	privileges_lower();
	for (size_t i = 0; i < outputs->options.n_paths; i++) {
		int failed = write_one(outputs, i, time_text, view, &how);

		err = err ? err : failed;
	}
	privileges_raise();
	return err;
}
