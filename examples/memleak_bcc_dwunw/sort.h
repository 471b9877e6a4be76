/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SORT_H
#define SORT_H

#include <stddef.h>
#include <stdint.h>

/* Something to be sorted: its key, and which one it is, since the thing itself is far away in memory. */
struct sort_entry {
	uint64_t key;
	size_t index;
};

/*
 * Sorts by key, stable: one counting pass for each byte in which the keys differ at all, so the time is linear, and few passes are made where
 * keys are alike. `spare` is as large as `entries`; returns the one of the two that holds the result.
 */
struct sort_entry *sort_by_key(struct sort_entry *entries, struct sort_entry *spare, size_t n);

#endif
