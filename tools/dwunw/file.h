/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DWUNW_FILE_H
#define DWUNW_FILE_H

struct cfi;
struct elf_file;

struct cfi_file {
	const char *path;
	struct elf_file *elf;
	struct cfi *cfi;
};

/* Opens the file that is the only argument of a command; says why it cannot, and returns a negative errno. */
int cfi_file_open(int argc, char **argv, const char *doc, struct cfi_file *ret);
void cfi_file_close(struct cfi_file *file);

/* Whether all of what was printed has arrived: the exit status. */
int output_status(void);

#endif
