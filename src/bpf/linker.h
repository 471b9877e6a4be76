/* SPDX-License-Identifier: BSD-2-Clause */
/* The dynamic linker of a process, as it shows itself to debuggers (link.h: struct r_debug). */
#ifndef BPF_LINKER_H
#define BPF_LINKER_H

#include <stdint.h>

struct mapping;
struct process;

/* Its file among the mappings, the vaddr of the hook in it and the address of its r_debug, 0: not known. NULL: none is found. */
const struct mapping *linker_find(const struct process *process, uint64_t *hook_vaddr,
				  uint64_t *r_debug);

#endif
