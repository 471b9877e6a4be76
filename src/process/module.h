/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PROCESS_MODULE_H
#define PROCESS_MODULE_H

#include <stddef.h>
#include "process/process.h"

/* As module_cache_get(), from an image in memory. */
int module_cache_get_memory(struct module_cache *cache, const void *image, size_t size,
			    const char *path, struct module **ret);

#endif
