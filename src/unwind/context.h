/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UNWIND_CONTEXT_H
#define UNWIND_CONTEXT_H

#include <dwunw/dwunw.h>

struct memory;
struct module_cache;
struct process_cache;
struct rule_cache;

struct dwunw_context {
	struct module_cache *modules;
	struct process_cache *processes;
	struct rule_cache *rules;
	struct memory *memory;
};

#endif
