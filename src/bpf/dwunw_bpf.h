/* SPDX-License-Identifier: BSD-2-Clause */
/* What tools of this repository use beside the public dwunw.h. */
#ifndef BPF_DWUNW_BPF_H
#define BPF_DWUNW_BPF_H

struct dwunw_context;
struct module_cache;

/* The modules of a context, to be shared with the tool's own struct process. */
struct module_cache *dwunw_context_modules(struct dwunw_context *context);

#endif
