/* SPDX-License-Identifier: BSD-2-Clause */
#include "output/output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "message.h"
#include "output/view.h"

struct outputs {
	struct outputs_options options;
};

int output_kind(const char *path, enum output_kind *ret)
{
	static const char *const ends[] = {
		[OUTPUT_TXT] = ".txt",	     [OUTPUT_JSON] = ".json",	[OUTPUT_HTML] = ".html",
		[OUTPUT_FOLDED] = ".folded", [OUTPUT_PPROF] = ".pb.gz",
	};
	size_t length = strlen(path);

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t end = strlen(ends[i]);

		if (length > end && strcmp(path + length - end, ends[i]) == 0) {
			*ret = (enum output_kind)i;
			return 0;
		}
	}
	return -EINVAL;
}

int outputs_create(const struct outputs_options *options, struct outputs **ret)
{
	struct outputs *outputs = calloc(1, sizeof(*outputs));

	if (!outputs)
		return -ENOMEM;
	outputs->options = *options;
	*ret = outputs;
	return 0;
}

void outputs_destroy(struct outputs *outputs)
{
	free(outputs);
}

bool outputs_compare(const struct outputs *outputs)
{
	return outputs->options.diff;
}

/* To a temporary file beside it, which is then renamed. */
static int write_file(const char *path, const char *text)
{
	char *temporary;
	FILE *file;
	int err = 0;

	if (asprintf(&temporary, "%s.%d.tmp", path, (int)getpid()) < 0)
		return -ENOMEM;
	file = fopen(temporary, "we");
	if (!file) {
		err = -errno;
	} else {
		fputs(text, file);
		if (ferror(file))
			err = -errno;
		if (fclose(file) && !err)
			err = -errno;
		if (!err && rename(temporary, path))
			err = -errno;
		if (err)
			unlink(temporary);
	}
	if (err)
		message("cannot write %s: %s", path, strerror(-err));
	free(temporary);
	return err;
}

int outputs_write(struct outputs *outputs, struct view *view, const char *report)
{
	int err = 0;

	(void)view;
	for (size_t i = 0; i < outputs->options.n_paths; i++) {
		int failed = write_file(outputs->options.paths[i], report);

		err = err ? err : failed;
	}
	return err;
}
