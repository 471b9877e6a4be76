/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UNWIND_ADDRESS_SPACE_H
#define UNWIND_ADDRESS_SPACE_H

#include <dwunw/dwunw.h>

#include "process/process.h"
#include "unwind/process_cache.h"

struct dwunw_address_space {
	struct dwunw_context *context;
	struct process process;	    /* pid 0 */
	struct known_process known; /* the same, as a capture wants it; in no cache */
};

#endif
