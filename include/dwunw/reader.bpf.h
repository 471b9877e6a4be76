/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The stack of the current thread, as step.h reads it, through a window of the slot. */
#ifndef DWUNW_READER_BPF_H
#define DWUNW_READER_BPF_H

#include "maps.bpf.h"

struct dwunw_reader {
	struct dwunw_slot slot;
};

#include "dwunw_arch.bpf.h"
#include "step.h"

/* Bytes below a missed word that a new window also takes: registers saved next to the return address. */
#define DWUNW_WINDOW_LEAD 64

/*
 * Reads through a window of the stack: a read costs by the call, hardly by the byte. A window never leaves the word's page: the
 * next one may be one that was never touched (between the stack's first frame and the environment, say), and failing costs
 * more than ten reads.
 */
static __always_inline int dwunw_read_word(struct dwunw_reader *reader, __u64 addr, __u64 *ret)
{
	struct dwunw_slot *slot = &reader->slot;
	__u64 off = addr - slot->window_start;

	if (off >= slot->in_window) {
		__u64 page = addr & ~(DWUNW_WINDOW_SIZE - 1ULL), size;
		/* aligned, so that no word of the window lies across its end */
		__u64 start = (addr - DWUNW_WINDOW_LEAD) & ~7ULL;

		if (start < page)
			start = page;
		size = DWUNW_WINDOW_SIZE - (start - page);
		slot->in_window = 0;
		barrier_var(size);
		if (size > DWUNW_WINDOW_SIZE ||
		    bpf_probe_read_user(slot->window, size, (void *)start))
			return -1;
		slot->in_window = size;
		slot->window_start = start;
		off = addr - start;
	}
	if (off & 7)
		return bpf_probe_read_user(ret, sizeof(*ret), (void *)addr);
	*ret = slot->window[off / 8 & (DWUNW_SPAN_SIZE / 8 - 1)];
	return 0;
}

#endif
