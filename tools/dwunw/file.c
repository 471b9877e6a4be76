/* SPDX-License-Identifier: BSD-2-Clause */
#include "file.h"

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cfi/cfi.h"
#include "commands.h"
#include "elf/elf_file.h"

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const char **path = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (*path)
			argp_error(state, "one FILE only");
		*path = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "FILE is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int open_cfi(struct cfi_file *file, const char **why)
{
	int fd = open(file->path, O_RDONLY | O_CLOEXEC), err;

	*why = NULL;
	if (fd < 0)
		return -errno;
	err = elf_file_open(fd, &file->elf);
	close(fd);
	if (err) {
		if (err == -ENOEXEC)
			*why = "not an ELF file";
		return err;
	}
	err = cfi_open(file->elf, NULL, &file->cfi);
	if (err == -ENOENT)
		*why = "no call frame information";
	if (err == -ENOTSUP)
		*why = "of an architecture that is not known";
	if (err)
		elf_file_close(file->elf);
	return err;
}

int cfi_file_open(int argc, char **argv, const char *doc, struct cfi_file *ret)
{
	const struct argp argp = {.parser = parse, .args_doc = "FILE", .doc = doc};
	struct cfi_file file = {0};
	const char *why;
	int err;

	argp_parse(&argp, argc, argv, 0, NULL, &file.path);
	err = open_cfi(&file, &why);
	if (err) {
		fprintf(stderr, "%s: %s: %s\n", argv[0], file.path, why ? why : strerror(-err));
		return err;
	}
	*ret = file;
	return 0;
}

void cfi_file_close(struct cfi_file *file)
{
	cfi_close(file->cfi);
	elf_file_close(file->elf);
}

int output_status(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	fprintf(stderr, "dwunw: output: %s\n", strerror(errno));
	return STATUS_FAILED;
}
