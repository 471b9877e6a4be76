/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a function returns, for functions that must not have a return probe: one that throws (operator new) would be unwound through
 * the kernel's trampoline, and the process be ended. An entry probe on its return instructions sees the same, and does no harm.
 */
#ifndef RETURNS_H
#define RETURNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "placement_arch.h"

#define RETURNS_MAX 128

struct module;

struct returns {
	uint64_t vaddrs[RETURNS_MAX]; /* of the instructions */
	size_t n;
	bool sealed; /* nothing is returned before one of `probed` was called: there are no `vaddrs` */
};

/*
 * Follows the code of the function at `vaddr` along its branches, also into what it jumps to, through the linkage table too where the
 * destination is in the same file; not through other computed jumps, nor into calls. `probed`: entries of functions whose calls are seen
 * as it is. -ENOENT: no return was found, and it is not sealed; -E2BIG: more code or returns than are followed; -ENOTSUP: the machine is
 * none of ours, or the file has no call frame information, which tells code from what lies between functions.
 */
int returns_find(struct module *module, uint64_t vaddr, const uint64_t *probed, size_t n_probed,
		 struct returns *ret);

/* An instruction on the way. */
struct followed {
	uint64_t vaddr;
	uint64_t target; /* where else it may go, or surely goes; 0: nowhere that is followed */
	uint8_t size;	 /* bytes */
	enum placement_flow flow;
};

struct followed_code {
	struct followed *instructions; /* free() it; in no order */
	size_t n;
	bool computed; /* a jump's destination is not known: it may be among them */
};

/* The code that returns_find() follows, of several functions. -E2BIG: it is more than that; -ENOTSUP as there. */
int returns_follow(struct module *module, const uint64_t *vaddrs, size_t n, const uint64_t *probed,
		   size_t n_probed, struct followed_code *ret);

#endif
