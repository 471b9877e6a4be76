/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether uprobes of the running kernel emulate what placement_find() takes for emulated, and what probes cost here. Tried in a child that
 * lives for a few milliseconds: it calls one function for each kind of instruction, with an empty probe on it. An instruction that
 * is single-stepped is executed in a page that the kernel maps for it, [uprobes] in /proc/PID/maps; without a return probe there is no
 * other reason for that page.
 */
#ifndef PLACEMENT_CHECK_H
#define PLACEMENT_CHECK_H

#include <stdbool.h>

struct bpf_program;

struct placement_check {
	bool emulated;	    /* each kind is */
	double emulated_ns; /* the fastest hit of an empty probe on one of them */
	double stepped_ns;  /* the same on an instruction that is single-stepped */
};

/* `nothing`: a program that does nothing. A negative errno where it cannot be tried: -ENOTSUP: no machine of ours. */
int placement_check(struct bpf_program *nothing, struct placement_check *ret);

#endif
