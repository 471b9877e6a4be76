/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves: dwunw_capture() hands the walk the mask of the thread that it has stopped, and that of a request with registers. The walk
 * and what is done to a thread are stand-ins here (ld --wrap, mk/tests.mk).
 */
#include <dwunw/step_types.h>

#include "arch/arch.h"
#include "capture.h"
#include "unwind/stop_thread.h"
#include "unwind/unwind.h"

static uint64_t walked_with;

void __wrap_unwind_snapshot(const struct unwind_snapshot *snapshot, unsigned int skip,
			    size_t max_frames, struct dwunw_frame *to,
			    struct dwunw_unwind_result *ret)
{
	(void)skip, (void)max_frames, (void)to;
	walked_with = snapshot->ra_mask;
	*ret = (struct dwunw_unwind_result){.n_frames = 1};
}

int __wrap_thread_stop(pid_t pid, pid_t tid, struct stopped_thread *ret)
{
	(void)pid;
	*ret = (struct stopped_thread){.tid = tid};
	return 0;
}

int __wrap_thread_registers(const struct stopped_thread *thread, struct dwunw_registers *ret)
{
	(void)thread;
	*ret = (struct dwunw_registers){.valid = 0xffff};
	return 0;
}

uint64_t __wrap_thread_ra_mask(const struct stopped_thread *thread)
{
	return (uint64_t)thread->tid << 48;
}

void __wrap_thread_resume(const struct stopped_thread *thread)
{
	(void)thread;
}

int main(void)
{
	struct dwunw_registers registers = {.valid = 0xffff};
	uint64_t stack[2] = {0};
	struct dwunw_unwind_result result;
	struct dwunw_unwind_request request = {.size = sizeof(request),
					       .registers = &registers,
					       .stack = stack,
					       .stack_size = sizeof(stack),
					       .frames = frames,
					       .max_frames = MAX_FRAMES,
					       .ra_mask = 0x123000000000000};
	pid_t pid;

	setup();
	pid = start(sleep_deep, 1);
	CHECK(capture(pid, 0, &result) == 0 && walked_with == (uint64_t)pid << 48);
	request.pid = pid;
	CHECK(dwunw_capture(context, &request, &result) == 0);
	CHECK(walked_with == 0x123000000000000);
	request.ra_mask = 0;
	CHECK(dwunw_capture(context, &request, &result) == 0 && walked_with == 0);
	end(pid);
	dwunw_context_destroy(context);
	return test_end();
}
