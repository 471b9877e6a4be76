/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The example's own record in the ring buffer dwunw_events. */
#ifndef MEMLEAK_H
#define MEMLEAK_H

#include <dwunw/event_format.h>

#define HIT_EVENT DWUNW_EVENT_TOOL

struct hit {
	__u32 type; /* HIT_EVENT */
	__u32 pid;
	__u64 pc;
	__s64 stack_id;
	char comm[16];
};

#endif
