/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's functions: address -> name, offset, module. From /proc/kallsyms, which only the privileged see whole. */
#ifndef KALLSYMS_H
#define KALLSYMS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "symbolize/symbolize.h"

struct kallsyms;

/*
 * Reads the text of /proc/kallsyms: lines `ADDRESS TYPE NAME`, and `[MODULE]` behind a tab; lines that are none are left out.
 * -EACCES: it has functions, but no addresses (kernel.kptr_restrict, CAP_SYSLOG).
 */
int kallsyms_read(FILE *file, struct kallsyms **ret);
/* NULL is allowed. */
void kallsyms_destroy(struct kallsyms *symbols);

/*
 * The function at the return address `addr`, that is, with the byte before it; *ret is always filled, with NULLs where none is known.
 * Its module is that of the line, NULL: the kernel itself. Names are valid until kallsyms_destroy().
 */
void kallsyms_find(const struct kallsyms *symbols, uint64_t addr, struct symbol *ret);

/*
 * How many of the innermost frames (return addresses) are not the kernel's own code but the tracepoint's, and of the BPF program that is
 * attached to it.
 */
size_t kallsyms_probe_frames(const struct kallsyms *symbols, const uint64_t *pcs, size_t n);

#endif
