/* SPDX-License-Identifier: BSD-2-Clause */
/* What is unwound: registers and stack of a thread, copied once; and those who unwind it. */
#ifndef BENCH_SNAPSHOT_H
#define BENCH_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <dwunw/event_format.h>

#define MAX_FRAMES 256

struct snapshot {
	pid_t pid; /* of a process that is stopped */
	struct dwunw_registers registers;
	uint64_t stack_start;
	uint8_t *stack;
	size_t stack_size;
};

/* A value of DWARF's register `reg`, or of the return address column; 0: it is known. */
int snapshot_register(const struct snapshot *snapshot, unsigned int reg, uint64_t *ret);
/* A word of the stack; -1 outside of it. */
int snapshot_word(const struct snapshot *snapshot, uint64_t addr, uint64_t *ret);

/* One at a time. Each prints why and ends the program when it cannot. */
struct unwinder {
	const char *name;
	void (*open)(const struct snapshot *snapshot); /* with nothing known from before */
	size_t (*unwind)(void);			       /* number of frames */
	void (*close)(void);
};

extern uint64_t unwound[MAX_FRAMES]; /* pcs of the last one */

extern const struct unwinder unwinder_dwunw, unwinder_libdwfl, unwinder_libunwind;

void fail(const char *what) __attribute__((noreturn));

#endif
