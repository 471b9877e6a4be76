/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address of a live process -> function, offset, module; file and line; what was inlined. From, in this order: the debug information of the
 * file, of its debug file by build ID, by debuglink, from a debuginfod server; and for the function's name and start, which symbol tables
 * know best (parts and clones have names of their own), .symtab of these, .gnu_debugdata, .dynsym, the procedure linkage table; for
 * code in no file, the map that a JIT compiler writes. elfutils' libdw decodes DWARF; libiberty demangles.
 *
 * Files are opened when the symbolizer is created or refreshed, so that names survive the process; they are read when one of their
 * addresses is first asked for, once for all processes that map them. One thread at a time.
 */
#ifndef SYMBOLIZE_H
#define SYMBOLIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct module;
struct naming;
struct process;
struct symbolizer;

/* All is copied. */
struct symbolizer_options {
	bool no_inlines;  /* an inlined function counts as part of its caller */
	bool no_lines;	  /* no files and lines */
	bool no_demangle; /* names as the linker sees them */
	bool short_names; /* long ones without template arguments and parameters, and with a number that stands for those */
	const char *const *
		source_prefixes; /* "OLD=NEW": paths below OLD are shown below NEW; the first that fits */
	size_t n_source_prefixes;
	const char *debug_root; /* where debug files are; NULL: /usr/lib/debug */
	const char *debuginfod; /* URLs of servers, blanks between them; NULL: none is asked */
	void (*tell)(
		const char
			*line); /* what a user is to know, without newline; NULL: nobody listens */
	/* How far a download is, several times a second; NULL: that is told as well, every 5 s. */
	void (*progress)(const char *line);
};

/* Where in the source; what is not known is NULL, 0. A line is known where a file is. */
struct source_place {
	const char *
		file; /* as the compiler was told: relative to the folder it ran in, if it is below that */
	uint32_t line, column;
};

struct inlined_function {
	const char *name; /* NULL: it has none */
	struct source_place place;
};

/* Everything in it is valid until the symbolizer is destroyed. */
struct symbol {
	const char *name;   /* demangled; NULL: none is known */
	uint64_t offset;    /* addr - start of the function, bytes */
	const char *module; /* path; NULL: anonymous memory */
	struct source_place
		place; /* in the function itself: of the outermost call that was inlined, if one was */
	const struct inlined_function *inlined; /* the innermost first */
	size_t n_inlined;
	const char *source;	 /* what `name` is from, as a user calls it; NULL: nothing */
	const char *line_source; /* the same for `place` and `inlined` */
};

/* `naming` (naming.h), which processes may share, must live as long. */
int symbolizer_create(const struct process *process, struct naming *naming,
		      struct symbolizer **ret);
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

/* Such look-ups are to come: all at once takes less time. `vaddrs`: as symbolizer_find_in_module() is given, less 1 for a return address. */
void symbolizer_prepare(struct symbolizer *symbolizer, const struct module *module,
			const uint64_t *vaddrs, size_t n);

#endif
