/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The protocol of the programs in this folder, which leak known amounts, and say so:
 *
 *   ready                         on stdout; then a line (or end of file) is awaited on stdin: time to attach
 *   truth BYTES COUNT FUNCTION    these bytes in so many blocks are outstanding, allocated since `ready`, over all
 *                                 stacks on which FUNCTION is, and it is on no other stack (0 0: nothing is left)
 *   other FUNCTION                stacks with this function and with none of a truth line hold blocks whose
 *                                 size the program cannot know (the dynamic linker's own)
 *   done                          nothing else is outstanding; then another line is awaited, and the program ends
 *
 * FUNCTION is the caller of the allocator wherever that belongs to the program. No stdio: its buffers would be leaks.
 */
#ifndef TRUTH_H
#define TRUTH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A frame of its own, whatever the optimizer thinks; extern, so that it is not cloned under another name. */
#define FRAME __attribute__((noinline))

/* After a call: keeps it from becoming a jump, which would leave the caller without a frame. */
#define NO_TAIL_CALL() __asm__ volatile("" ::: "memory")

/* Lets the block escape, so that the allocation is not optimized away. */
static inline void *truth_keep(void *block)
{
	__asm__ volatile("" : "+r"(block) : : "memory");
	return block;
}

static inline void truth_write(const char *text)
{
	size_t length = strlen(text);

	if (write(STDOUT_FILENO, text, length) != (ssize_t)length)
		_exit(3);
}

static inline void truth_wait(void)
{
	char c;

	while (read(STDIN_FILENO, &c, 1) == 1 && c != '\n')
		;
}

static inline void truth_ready(void)
{
	truth_write("ready\n");
	truth_wait();
}

static inline void truth(size_t bytes, size_t count, const char *function)
{
	char line[128];

	snprintf(line, sizeof(line), "truth %zu %zu %s\n", bytes, count, function);
	truth_write(line);
}

static inline void truth_other(const char *function)
{
	char line[128];

	snprintf(line, sizeof(line), "other %s\n", function);
	truth_write(line);
}

static inline void truth_done(void)
{
	truth_write("done\n");
	truth_wait();
}

/* What must hold for the truth lines to be true. */
static inline void truth_require(int condition, const char *what)
{
	if (condition)
		return;
	truth_write("broken: ");
	truth_write(what);
	truth_write("\n");
	_exit(2);
}

/* The path of a file that is built beside the program. */
static inline void truth_beside(const char *argv0, const char *name, char *ret, size_t size)
{
	const char *slash = strrchr(argv0, '/');

	snprintf(ret, size, "%.*s/%s", slash ? (int)(slash - argv0) : 1, slash ? argv0 : ".", name);
}

#endif
