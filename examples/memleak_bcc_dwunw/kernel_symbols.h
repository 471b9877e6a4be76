/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of the running kernel's functions, also of modules that come while it is traced. */
#ifndef KERNEL_SYMBOLS_H
#define KERNEL_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>

struct kallsyms;

/* To be zeroed first. */
struct kernel_symbols {
	struct kallsyms *symbols; /* NULL: not read yet, or not permitted */
	bool read;
	uint64_t modules; /* what their list was then */
	int64_t next_ms;  /* it is not looked at again before */
};

/* Valid until the next call; NULL: there are none, which was said once. Reads the list of modules at most twice a second. */
const struct kallsyms *kernel_symbols_now(struct kernel_symbols *symbols);
void kernel_symbols_free(struct kernel_symbols *symbols);

#endif
