/* SPDX-License-Identifier: BSD-2-Clause */
#include "unwind/context.h"

#include <errno.h>
#include <stdlib.h>

#include "bpf/dwunw_bpf.h"
#include "process/process.h"
#include "unwind/memory.h"
#include "unwind/options.h"
#include "unwind/process_cache.h"
#include "unwind/rule_cache.h"

#define DEFAULT_MAX_PROCESSES 256

int dwunw_context_create(const struct dwunw_context_opts *opts, struct dwunw_context **ret)
{
	struct dwunw_context_opts known = {.size = sizeof(known)};
	struct dwunw_context *context;
	int err;

	if (!ret || (opts && options_take(&known, sizeof(known), opts)))
		return -EINVAL;
	if (!known.max_processes)
		known.max_processes = DEFAULT_MAX_PROCESSES;
	context = calloc(1, sizeof(*context));
	if (!context)
		return -ENOMEM;
	err = module_cache_create(known.max_module_bytes, &context->modules);
	if (!err)
		err = process_cache_create(context->modules, known.max_processes,
					   &context->processes);
	context->rules = calloc(1, sizeof(*context->rules));
	if (!context->rules)
		err = -ENOMEM;
	if (!err)
		err = memory_create(&context->memory);
	if (err) {
		dwunw_context_destroy(context);
		return err;
	}
	*ret = context;
	return 0;
}

void dwunw_context_destroy(struct dwunw_context *context)
{
	if (!context)
		return;
	memory_destroy(context->memory);
	free(context->rules);
	process_cache_destroy(context->processes);
	module_cache_destroy(context->modules);
	free(context);
}

int dwunw_context_get_stats(const struct dwunw_context *context, struct dwunw_context_stats *ret)
{
	struct module_cache_stats modules;
	struct process_cache_stats processes;
	struct dwunw_context_stats stats;

	if (!context || !ret)
		return -EINVAL;
	module_cache_get_stats(context->modules, &modules);
	process_cache_get_stats(context->processes, &processes);
	stats = (struct dwunw_context_stats){
		.modules = modules.modules,
		.unused_modules = modules.unused,
		.module_bytes = modules.bytes,
		.modules_dropped = modules.dropped,
		.processes = processes.processes,
		.processes_dropped = processes.dropped,
		.processes_dropped_for_modules = processes.dropped_for_modules,
	};
	return options_give(&stats, sizeof(stats), ret);
}

struct module_cache *dwunw_context_modules(struct dwunw_context *context)
{
	return context->modules;
}
