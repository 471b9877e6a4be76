/* SPDX-License-Identifier: BSD-2-Clause */
/* A temporary directory for tests that make files with the compiler and compare with what binutils say. */
#ifndef WORKDIR_H
#define WORKDIR_H

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char workdir[] = "/tmp/dwunw-test-XXXXXX";

/* Enters it; the commands of run() and read_command() work there. */
static inline void workdir_enter(void)
{
	if (!mkdtemp(workdir) || chdir(workdir)) {
		perror(workdir);
		exit(1);
	}
}

static inline void workdir_leave(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", workdir);
	if (chdir("/") || system(command))
		perror(workdir);
}

static inline void write_file(const char *name, const void *data, size_t size)
{
	FILE *file = fopen(name, "w");

	if (!file || fwrite(data, 1, size, file) != size || fclose(file)) {
		perror(name);
		exit(1);
	}
}

static inline void write_text(const char *name, const char *text)
{
	write_file(name, text, strlen(text));
}

/* The whole file; free() it. */
static inline uint8_t *read_file(const char *name, size_t *size)
{
	FILE *file = fopen(name, "r");
	uint8_t *data = NULL;
	size_t n;

	*size = 0;
	if (!file) {
		perror(name);
		exit(1);
	}
	do {
		data = realloc(data, *size + (64 << 10));
		n = fread(data + *size, 1, 64 << 10, file);
		*size += n;
	} while (n > 0);
	fclose(file);
	return data;
}

/* A command that has to succeed. */
__attribute__((format(printf, 1, 2))) static inline void run(const char *format, ...)
{
	char command[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	if (system(command)) {
		fprintf(stderr, "failed: %s\n", command);
		exit(1);
	}
}

/* Its output as a string, without the last newline; free() it. */
__attribute__((format(printf, 1, 2))) static inline char *read_command(const char *format, ...)
{
	char command[1024];
	uint8_t *output;
	va_list args;
	size_t size;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	run("%s > command-output", command);
	output = read_file("command-output", &size);
	output = realloc(output, size + 1);
	output[size] = '\0';
	if (size > 0 && output[size - 1] == '\n')
		output[size - 1] = '\0';
	return (char *)output;
}

/* First number, in base 16, of a command's output. */
__attribute__((format(printf, 1, 2))) static inline uint64_t read_hex(const char *format, ...)
{
	char command[1024], *output;
	uint64_t value;
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	output = read_command("%s", command);
	value = strtoull(output, NULL, 16);
	free(output);
	return value;
}

/* xorshift64 (Marsaglia, 2003): the same numbers in each run. */
static inline uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

#endif
