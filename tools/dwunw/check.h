/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of `dwunw check`: check_trace.c runs the command, check_compare.c unwinds and compares, check_places.c counts by function. */
#ifndef DWUNW_CHECK_H
#define DWUNW_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include <dwunw/dwunw.h>

#include "check_machine.h"
#include "check_truth.h"

struct memory;
struct module_cache;
struct process;
struct rule_cache;
struct symbolizer;
struct place;

#define PLACE_CACHE_BITS 12
#define CODE_CACHE_BITS 15

struct check_options {
	unsigned int every;    /* a walk of everything each so many instructions */
	unsigned int depth;    /* frames that are compared at the others */
	unsigned int show;     /* differences printed */
	uint64_t limit;	       /* instructions; 0: none */
	const char *wrong_cfi; /* text: lines `MODULE FUNCTION REASON`; or NULL */
};

struct check_counts {
	uint64_t instructions, threads, programs, signals;
	uint64_t comparisons, frames;
	uint64_t whole;	      /* comparisons of whole stacks */
	uint64_t captures;    /* of those, by dwunw_capture() */
	uint64_t jumps;	      /* that left frames: longjmp, exceptions, switches of stacks */
	uint64_t ahead;	      /* differences that were none: the frames of a jump's target */
	uint64_t no_cfi;      /* stacks that end at code without CFI */
	uint64_t wrong_cfi;   /* differences at functions of check_options.wrong_cfi */
	uint64_t overwritten; /* and where the program had replaced the return address */
	uint64_t differences; /* all others */
	size_t deepest;
};

/* Where a thread was found: counted by function. */
struct place {
	char *module, *symbol;
	bool wrong_cfi; /* it is listed in check_options.wrong_cfi */
	uint64_t no_cfi, overwritten, differences;
};

struct code {
	uint64_t epoch, pc;
	struct instruction instruction;
};

struct check {
	struct check_options options;
	struct check_counts counts;
	FILE *out;

	pid_t pid;
	struct dwunw_context *context;
	struct process *process;
	uint64_t epoch; /* of the mappings, 1, 2, ... */
	struct rule_cache *rules;
	struct memory *memory;
	struct decoder *decoder;
	struct code code[1 << CODE_CACHE_BITS];
	struct dwunw_frame *frames;
	size_t max_frames;

	/* check_places.c */
	struct naming *naming;
	struct symbolizer *symbolizer;
	uint64_t symbolizer_epoch;
	void *places; /* tree */
	struct {
		uint64_t epoch, pc;
		struct place *place;
	} place_cache[1 << PLACE_CACHE_BITS];
	int exit_status; /* of the command, as wait(2) says it */
};

/* A comparison that failed; what the unwinder found is kept as long as it can turn out to have been right. */
struct mismatch;

struct check_thread {
	struct check_thread *next;
	pid_t tid;
	bool started;
	bool executing; /* another program: its first instruction comes next */
	int injected;	/* signal that it was resumed with */
	struct truth truth;
	struct dwunw_registers registers;
	struct instruction instruction; /* that is executed next */
	unsigned int since_whole;
	bool whole_next; /* after a call and a return */
	struct mismatch *mismatches;
	size_t n_mismatches;
};

/* Runs argv[0] to its end. Negative errno: it could not be run or watched. */
int check_trace(struct check *check, char **argv);

/* Compares the stack of a thread that stands before an instruction; -ENOMEM. */
int check_compare(struct check *check, struct check_thread *thread);
/* A jump out of frames has arrived: what mismatched before may be where it went to. */
void check_resolve(struct check *check, struct check_thread *thread);
/* It will not: those are differences. */
void check_settle(struct check *check, struct check_thread *thread);
uint64_t check_sp(const struct dwunw_registers *registers);

/* The function of an address as the process is now; NULL: no memory. */
struct place *check_place(struct check *check, uint64_t pc, bool is_return_address);
/* `FUNCTION+OFFSET FILE`, on out. */
void check_print_address(struct check *check, uint64_t pc, bool is_return_address);
void check_print_places(struct check *check);
void check_free_places(struct check *check);

#endif
