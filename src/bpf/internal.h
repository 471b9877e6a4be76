/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of contexts and of struct dwunw_bpf; private to src/bpf. */
#ifndef BPF_INTERNAL_H
#define BPF_INTERNAL_H

#include <dwunw/dwunw.h>

#include "bpf/traced.h"
#include "unwind/context.h"

struct dwunw_slot;
struct stacks;

struct dwunw_bpf {
	struct traced_env env;
	struct traced *traced;
	struct stacks *stacks;
	struct dwunw_slot *slots; /* mapped; read only */
	size_t n_slots;
	unsigned int max_depth;
	bool details, guess;
	bool walk_in_user_space;
	int records_error; /* 0, or negative errno: why there is no history */
	uint64_t finished;
	uint64_t fp_finished;			     /* of those, with frame-pointer steps */
	uint64_t cut_short[DWUNW_N_STOP_REASONS];    /* sent here and not completed, by why */
	struct dwunw_frame frames[DWUNW_MAX_FRAMES]; /* of the event at hand */
};

/* Takes in what the kernel recorded of new mappings. */
void read_history(struct dwunw_bpf *bpf);
/* NULL: there is none. */
struct traced *find_by_pid(struct dwunw_bpf *bpf, pid_t pid);

/* Opens a process (`key`: as the kernel announced it, else 0) and shows its mappings to the kernel. On failure of the latter *ret is set. */
int add_traced(struct dwunw_bpf *bpf, pid_t pid, uint64_t key, struct traced **ret);

#endif
