/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compare DWUNW FILE...: whether `DWUNW cfi FILE` prints the rows that `readelf --debug-dump=frames-interp` does. Both are
 * read as they come. One line for each file:
 *   same ROWS FILE | none 0 FILE | skip 0 FILE: why | differs ROWS FILE: theirs | ours
 *
 * What readelf does differently is undone in readelf.c.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "readelf.h"

/* Starts a command, with its standard output to be read. */
static FILE *start(char *const argv[], pid_t *pid)
{
	int ends[2];
	FILE *file;

	if (pipe2(ends, O_CLOEXEC))
		return NULL;
	*pid = fork();
	if (*pid == 0) {
		int null = open("/dev/null", O_WRONLY);

		dup2(ends[1], 1);
		dup2(null, 2);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(ends[1]);
	file = *pid < 0 ? NULL : fdopen(ends[0], "r");
	if (!file)
		close(ends[0]);
	return file;
}

/* A command may be left in the middle of its output. */
static int stop(FILE *file, pid_t pid)
{
	int status;

	fclose(file);
	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* A line of `dwunw cfi` without its columns that say "undefined", which readelf spells as it does those without a rule. */
static void strip_undefined(char *line)
{
	char *out = line, *save, *word;
	bool first = true;

	for (word = strtok_r(line, " \n", &save); word; word = strtok_r(NULL, " \n", &save)) {
		size_t size = strlen(word);

		if (size > 2 && strncmp(word, "cfa=", 4) != 0 && !strcmp(word + size - 2, "=u"))
			continue;
		if (!first)
			*out++ = ' ';
		first = false;
		memmove(out, word, size);
		out += size;
	}
	*out = '\0';
}

struct result {
	unsigned long rows;
	bool same;
	char theirs[READELF_MAX_ROW], ours[READELF_MAX_ROW];
};

static void compare(FILE *dwunw, FILE *readelf_output, struct result *result)
{
	struct readelf *readelf = readelf_create(readelf_output);
	size_t capacity = 0;
	char *line = NULL;
	bool more;

	do {
		bool theirs = readelf_next_row(readelf, result->theirs);
		bool ours = getline(&line, &capacity, dwunw) > 0;

		snprintf(result->ours, sizeof(result->ours), "%s", ours ? line : "");
		strip_undefined(result->ours);
		more = theirs && ours;
		result->same = theirs == ours && !strcmp(result->theirs, result->ours);
		result->rows += more;
	} while (more && result->same);
	free(line);
	readelf_destroy(readelf);
}

/* The architectures that src/arch has. */
static bool is_known(const Elf64_Ehdr *header)
{
	bool little = header->e_ident[EI_DATA] == ELFDATA2LSB;
	uint16_t machine = little ? header->e_machine : __builtin_bswap16(header->e_machine);

	if (header->e_ident[EI_CLASS] == ELFCLASS32)
		return machine == EM_MIPS;
	return little && (machine == EM_X86_64 || machine == EM_AARCH64 || machine == EM_RISCV);
}

/* Why a file is not compared; NULL: it is. */
static const char *why_not(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf64_Ehdr header = {0};
	ssize_t n;

	if (fd < 0)
		return strerror(errno);
	n = read(fd, &header, sizeof(header));
	close(fd);
	if (n < (ssize_t)sizeof(Elf32_Ehdr) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
		return "not ELF";
	if (header.e_type == (header.e_ident[EI_DATA] == ELFDATA2LSB ? ET_REL : ET_REL << 8))
		return "relocatable";
	return is_known(&header) ? NULL : "another architecture";
}

static void compare_file(char *dwunw, char *path)
{
	char *const ours[] = {dwunw, "cfi", path, NULL};
	char *const theirs[] = {"readelf", "-wF", path, NULL};
	const char *why = why_not(path);
	struct result result = {0};
	pid_t our_pid = -1, their_pid = -1;
	FILE *our_output, *their_output;
	int our_status;

	if (why) {
		printf("skip 0 %s: %s\n", path, why);
		return;
	}
	our_output = start(ours, &our_pid);
	their_output = start(theirs, &their_pid);
	if (!our_output || !their_output) {
		perror("compare");
		exit(1);
	}
	compare(our_output, their_output, &result);
	our_status = stop(our_output, our_pid);
	stop(their_output, their_pid);
	if (!result.same)
		printf("differs %lu %s: %s | %s\n", result.rows, path, result.theirs, result.ours);
	else if (result.rows && our_status)
		printf("differs %lu %s: exit status %d\n", result.rows, path, our_status);
	else
		printf("%s %lu %s\n", result.rows ? "same" : "none", result.rows, path);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: compare DWUNW FILE...\n");
		return 2;
	}
	/* Several of these write to one file. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int i = 2; i < argc; i++)
		compare_file(argv[1], argv[i]);
	return 0;
}
