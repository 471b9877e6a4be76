/* SPDX-License-Identifier: BSD-2-Clause */
#include <dwunw/dwunw.h>

#include "snapshot.h"

static struct dwunw_context *context;
static struct dwunw_frame frames[MAX_FRAMES];
static struct dwunw_unwind_request request;

static void open_dwunw(const struct snapshot *snapshot)
{
	if (dwunw_context_create(NULL, &context))
		fail("dwunw_context_create");
	request = (struct dwunw_unwind_request){
		.size = sizeof(request),
		.pid = snapshot->pid,
		.registers = &snapshot->registers,
		.stack = snapshot->stack,
		.stack_start = snapshot->stack_start,
		.stack_size = snapshot->stack_size,
		.frames = frames,
		.max_frames = MAX_FRAMES,
	};
}

static size_t unwind(void)
{
	struct dwunw_unwind_result result;

	if (dwunw_capture(context, &request, &result) || result.stop != DWUNW_STOP_ROOT)
		fail("dwunw_capture");
	for (size_t i = 0; i < result.n_frames; i++)
		unwound[i] = frames[i].pc;
	return result.n_frames;
}

static void close_dwunw(void)
{
	dwunw_context_destroy(context);
}

const struct unwinder unwinder_dwunw = {"libdwunw", open_dwunw, unwind, close_dwunw};
