/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>

#include "bpf/dwunw_bpf.h"
#include "bpf/internal.h"
#include "process/process.h"

int dwunw_context_create(struct dwunw_context **ret)
{
	struct dwunw_context *context = calloc(1, sizeof(*context));
	int err;

	if (!context)
		return -ENOMEM;
	err = module_cache_create(&context->modules);
	if (err) {
		free(context);
		return err;
	}
	*ret = context;
	return 0;
}

void dwunw_context_destroy(struct dwunw_context *context)
{
	if (!context)
		return;
	module_cache_destroy(context->modules);
	free(context);
}

struct module_cache *dwunw_context_modules(struct dwunw_context *context)
{
	return context->modules;
}
