/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which mappings stay as long as the process image: of the program, of what it cannot be without (DT_NEEDED, and what that needs: the
 * C library and the dynamic linker among it), and of what was preloaded, which the dynamic linker never takes away.
 */
#ifndef BPF_PERMANENT_H
#define BPF_PERMANENT_H

#include <stdbool.h>

struct module_cache;
struct process;

/*
 * Sets mapping.permanent where it is certain. True: everything that the program needs was found, so that there is nothing to be
 * found later; false: it is still being loaded, say.
 */
bool permanent_mark(struct module_cache *cache, struct process *process);
/* The process image was replaced. */
void permanent_clear(struct process *process);

#endif
