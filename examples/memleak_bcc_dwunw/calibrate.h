/* SPDX-License-Identifier: BSD-2-Clause */
/* What a call of a probed function costs on this machine. */
#ifndef CALIBRATE_H
#define CALIBRATE_H

#include "overhead.h"

struct bpf_program;

/*
 * Attaches the programs to functions of this process and times calls of them, for about a tenth of a second. The programs must record
 * nothing at that time; `cookie` is one of an allocation, of a target's number that is not in use.
 */
int calibrate(struct bpf_program *enter, struct bpf_program *leave, struct bpf_program *free_,
	      unsigned long long cookie, struct overhead_costs *ret);

#endif
