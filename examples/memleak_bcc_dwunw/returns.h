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

#endif
