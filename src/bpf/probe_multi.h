/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BPF_PROBE_MULTI_H
#define BPF_PROBE_MULTI_H

#include <stdbool.h>

/*
 * Whether uprobe_multi links work here. Kernels before 6.6 do not have them; up to 6.9 their pid filter drops the hits of all
 * threads but one (fixed by kernel commit 46ba0e49b642). So: probes a function of this process and calls it
 * from a second thread, except where the kernel has uprobe sessions (6.13) and with them the fix. Asked once; the answer is kept.
 */
bool probe_multi_works(void);

#endif
