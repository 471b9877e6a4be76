/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UNWIND_SIGRETURN_H
#define UNWIND_SIGRETURN_H

#include <stdint.h>

struct arch;
struct dwunw_rule;
struct unwind_snapshot;

/*
 * The rule of the frame at `pc` if that is what signal handlers return to, known by its instructions (struct arch_sigreturn),
 * which the snapshot must be able to read. -ENOENT: it is not.
 */
int sigreturn_rule(const struct arch *arch, const struct unwind_snapshot *snapshot, uint64_t pc,
		   struct dwunw_rule *ret);

#endif
