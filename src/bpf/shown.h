/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel has been shown of the mappings of processes: maps.bpf.h's dwunw_mappings. */
#ifndef BPF_SHOWN_H
#define BPF_SHOWN_H

#include <stdint.h>

#include <dwunw/bpf_format.h>

/* What all processes share. */
struct shown_places {
	int fd; /* of the map dwunw_mappings */
	uint64_t next_epoch;
	uint64_t keys[DWUNW_MAX_PROCESSES]; /* whose mappings are at each place; 0: nobody's */
};

/* Of one process; all zero: nothing. */
struct shown {
	uint64_t process; /* key */
	uint64_t permanent_epoch;
	uint32_t generation, n;
	struct dwunw_mapping *mappings;
};

/*
 * Replaces what the kernel knows of the process by `mappings`, in one step; they get their epochs here. Nothing is done where it knows just that:
 * each replacement waits for RCU, and takes their worth from the rows and stacks that are remembered. Negative errno: the kernel
 * knows what it knew.
 */
int shown_replace(struct shown *shown, struct shown_places *places,
		  struct dwunw_mappings *mappings);

/* Frees the kernel's memory for them. */
void shown_hide(struct shown *shown, struct shown_places *places);

#endif
