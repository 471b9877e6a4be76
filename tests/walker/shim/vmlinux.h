/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel types of the BPF side, here with the offsets of their declarations: there is no kernel to be relocated to. */
#ifdef __clang__
#pragma clang diagnostic ignored "-Wunknown-attributes"
#else
#pragma GCC diagnostic ignored "-Wunknown-pragmas"
#endif
#include "../../../src/bpf/vmlinux.h"
