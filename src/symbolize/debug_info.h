/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The .debug_* sections of one file: vaddr -> the functions inlined there, and file, line and column of each. libdw decodes them; what
 * it does anew for each address is done once here: which unit has an address, and the functions of a unit and what is inlined in one,
 * each when an address of it is first asked for.
 */
#ifndef SYMBOLIZE_DEBUG_INFO_H
#define SYMBOLIZE_DEBUG_INFO_H

#include <stddef.h>
#include <stdint.h>

/* Frames at one address. More are cut off: the innermost ones, which then count as part of their caller. */
#define DEBUG_MAX_DEPTH 256

struct debug_info;

struct debug_frame {
	const char *name; /* as the linker sees it, else as written; NULL: not known */
	const char
		*file; /* absolute if the compiler said in which folder it was; NULL: not known */
	const char *folder;    /* that one; NULL: not known */
	uint32_t line, column; /* 0: not known */
};

/*
 * The innermost frame first; the last one is the function itself (without a name where only the line is known). Names are
 * libdw's: valid until the next call.
 */
struct debug_frames {
	size_t n;
	uint64_t
		start; /* vaddr at which the function, or the part of it that holds the address, begins */
	struct debug_frame frames[DEBUG_MAX_DEPTH];
};

/*
 * Over `fd`, which stays the caller's and must stay open. `alternate`: descriptor of the file that .gnu_debugaltlink names, or
 * -1. `losses`: one for each of N_WORKER_LOSSES, the caller's, counted up as long as it is open. -ENOENT: it has no .debug_info, or none of code; -EFBIG: it has
 * more than 1 GiB that would have to be read into memory; -EBADMSG: it cannot be understood; -ESTALE: it needs an alternate file that is
 * not there.
 */
int debug_info_open(int fd, int alternate, uint32_t *losses, struct debug_info **ret);
void debug_info_close(struct debug_info *info);

/* -ENOENT: nothing is known of that address; -EBADMSG, -ENOMEM. */
int debug_info_find(struct debug_info *info, uint64_t vaddr, struct debug_frames *ret);

/* Memory that what has been decoded takes, about. */
size_t debug_info_bytes(const struct debug_info *info);
/* Frees that; it is decoded again as needed. */
void debug_info_forget(struct debug_info *info);

#endif
