/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address of a live process -> function, offset, module. elfutils' libdw reads the symbol tables and finds separate debug files
 * (by build ID and by debuglink); libiberty demangles C++ and Rust.
 *
 * Files are opened when the symbolizer is created or refreshed, so that names survive the process. One thread at a time.
 */
#ifndef SYMBOLIZE_H
#define SYMBOLIZE_H

#include <stdint.h>

struct module;
struct process;
struct symbolizer;

struct symbol {
	const char
		*name; /* demangled; NULL: none is known. Valid until the symbolizer is destroyed */
	uint64_t offset;    /* addr - start of the function, bytes */
	const char *module; /* path; NULL: anonymous memory. Valid as long as `name` */
};

int symbolizer_create(const struct process *process, struct symbolizer **ret);
/* Takes over the mappings of a refreshed process; files that were already open stay so. */
int symbolizer_refresh(struct symbolizer *symbolizer, const struct process *process);
void symbolizer_destroy(struct symbolizer *symbolizer);

/*
 * The symbol at `addr`; *ret is always filled. `is_return_address`: look up addr - 1, since a call can be the last
 * instruction of its function; the offset is that of `addr` all the same.
 */
void symbolizer_find(struct symbolizer *symbolizer, uint64_t addr, int is_return_address,
		     struct symbol *ret);

/*
 * The same for an address of a file that need not be mapped any more: `vaddr` in `module`, which must live as long as the
 * symbolizer.
 */
void symbolizer_find_in_module(struct symbolizer *symbolizer, const struct module *module,
			       uint64_t vaddr, int is_return_address, struct symbol *ret);

#endif
