/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stacks that were seen. Equal stacks (same process image, addresses, files there and stop reason) are kept once, under however
 * many ids: that of the kernel's hash, and one for each event that was finished in user space.
 */
#ifndef BPF_STACKS_H
#define BPF_STACKS_H

#include <stdbool.h>
#include <stdint.h>

#include <dwunw/dwunw.h>

struct stacks;

int stacks_create(struct stacks **ret);
void stacks_destroy(struct stacks *stacks);

/*
 * Files `stack` (its frames are copied) under `id`. Only stacks of one `owner` can be equal: the key of a process image, or, for a
 * stack whose end is not known, a number that differs with what lies above it. An id that is known already stays as it is: the kernel tells of a stack
 * again when it could not remember that it did.
 */
int stacks_add(struct stacks *stacks, int64_t id, uint64_t owner, const struct dwunw_stack *stack);

/* NULL: unknown. */
const struct dwunw_stack *stacks_find(struct stacks *stacks, int64_t id);

/*
 * Forgets the ids of events (each is of one stack taken once) that stacks_find() was not asked for since the last call, unless they
 * were added since, and the stacks that no id stands for any more.
 */
int stacks_forget_unused(struct stacks *stacks);

#endif
