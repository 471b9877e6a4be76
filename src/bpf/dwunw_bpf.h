/* SPDX-License-Identifier: BSD-2-Clause */
/* What tools of this repository use beside the public dwunw.h. */
#ifndef BPF_DWUNW_BPF_H
#define BPF_DWUNW_BPF_H

#include <stddef.h>
#include <stdint.h>

struct dwunw_bpf;
struct dwunw_context;
struct module;
struct module_cache;

/* The modules of a context, to be shared with the tool's own struct process. */
struct module_cache *dwunw_context_modules(struct dwunw_context *context);

/* The module of that number (dwunw_frame.module_id), mapped or not any more; NULL: unknown. Valid until `bpf` is destroyed. */
struct module *dwunw_bpf_module(struct dwunw_bpf *bpf, uint32_t id);

/*
 * While the tables of a process are loaded `progress` is called before each of its executable mappings: so many are done, of so many. NULL:
 * nobody listens.
 */
void dwunw_bpf_set_progress(struct dwunw_bpf *bpf, void (*progress)(size_t done, size_t all));

#endif
