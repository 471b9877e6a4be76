/* SPDX-License-Identifier: BSD-2-Clause */
/* Says what is missing when the kernel refuses: a capability, or a feature. */
#ifndef PRIVILEGES_H
#define PRIVILEGES_H

#include <stddef.h>

/*
 * The capabilities that loading and attaching need and this process lacks, as "CAP_BPF, CAP_PERFMON"; empty: none.
 * CAP_SYS_ADMIN stands for both. At most `size` bytes.
 */
void privileges_missing_for_bpf(char *ret, size_t size);

/* The same for reading another user's process: CAP_SYS_PTRACE. */
void privileges_missing_for_process(char *ret, size_t size);

/* What the kernel lacks that the BPF programs need, in words; NULL: nothing that we know of. */
const char *privileges_missing_feature(void);

#endif
