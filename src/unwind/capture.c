/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <dwunw/dwunw.h>
#include <dwunw/step_types.h>

#include "arch/arch.h"
#include "unwind/address_space.h"
#include "unwind/context.h"
#include "unwind/memory.h"
#include "unwind/options.h"
#include "unwind/process_cache.h"
#include "unwind/stop_thread.h"
#include "unwind/unwind.h"

struct capture {
	struct dwunw_context *context;
	struct dwunw_unwind_request request; /* tid is set */
	struct known_process *known;
	bool fresh; /* its mappings were read for this capture */
	struct dwunw_unwind_result result;
	int err;
};

/* Everything that can be said without looking at the process. */
static int check(const struct dwunw_context *context, const struct dwunw_unwind_request *request)
{
	const struct dwunw_address_space *space = request->address_space;

	if (request->pid < 0 || request->tid < 0 || !request->frames || !request->max_frames)
		return -EINVAL;
	if (!request->pid && (!space || request->tid || (!request->read && !request->stack)))
		return -EINVAL;
	if (!request->registers)
		return request->read || request->stack || request->stack_size || space ||
				       request->ra_mask || request->pid == getpid()
			       ? -EINVAL
			       : 0;
	if (space && space->context != context)
		return -EINVAL;
	if (!request->stack != !request->stack_size ||
	    request->stack_start + request->stack_size < request->stack_start ||
	    !registers_are_enough(request->registers))
		return -EINVAL;
	return 0;
}

static int check_thread(pid_t pid, pid_t tid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d", (int)pid, (int)tid);
	return access(path, F_OK) ? -ESRCH : 0;
}

static void unwind(struct capture *capture, const struct dwunw_registers *registers,
		   uint64_t ra_mask)
{
	const struct dwunw_unwind_request *request = &capture->request;
	struct unwind_snapshot snapshot = {
		.process = capture->known->process,
		.modules = capture->known->modules,
		.rules = capture->context->rules,
		.epoch = capture->known->epoch,
		.registers = registers,
		.slice_start = request->stack_start,
		.slice = request->stack,
		.slice_size = request->stack_size,
		.read = request->read,
		.read_arg = request->read_arg,
		.ra_mask = ra_mask,
	};

	if (!request->read && !request->stack) {
		snapshot.read = memory_read;
		snapshot.read_arg = capture->context->memory;
		memory_begin(capture->context->memory, request->tid);
	}
	unwind_snapshot(&snapshot, 0, request->max_frames, request->frames, &capture->result);
	if (snapshot.read == memory_read)
		memory_end(capture->context->memory);
}

/* Settles which thread is meant. */
static int find_thread(struct dwunw_unwind_request *request)
{
	int err;

	if (!request->tid)
		request->tid = request->pid;
	err = check_thread(request->pid, request->tid);
	if (!err || !request->registers)
		return err;
	/* What is given outlives the thread. */
	request->tid = request->pid;
	return 0;
}

/* Not so where all is given or known: looking costs as much as unwinding a hundred frames. */
static bool thread_is_needed(const struct capture *capture)
{
	const struct dwunw_unwind_request *request = &capture->request;

	if (!request->registers || (!request->read && !request->stack))
		return true;
	return !request->address_space &&
	       !process_cache_has(capture->context->processes, request->pid);
}

static int capture_given(struct capture *capture)
{
	struct dwunw_unwind_request *request = &capture->request;

	unwind(capture, request->registers, request->ra_mask);
	if (capture->result.stop != DWUNW_STOP_NO_MAPPING || capture->fresh ||
	    request->address_space)
		return 0;
	find_thread(request);
	/* Mapped since; a process that is gone has the mappings that are known. */
	if (process_cache_refresh(capture->context->processes, capture->known, request->tid) == 0)
		unwind(capture, request->registers, request->ra_mask);
	return 0;
}

static int capture_stopped(struct capture *capture)
{
	const struct dwunw_unwind_request *request = &capture->request;
	struct dwunw_registers registers;
	struct stopped_thread thread;
	int err = thread_stop(request->pid, request->tid, &thread);

	if (err)
		return err;
	err = thread_registers(&thread, &registers);
	if (!err)
		err = process_cache_refresh(capture->context->processes, capture->known,
					    request->tid);
	if (!err)
		unwind(capture, &registers, thread_ra_mask(&thread));
	thread_resume(&thread);
	return err;
}

static void *stopper(void *arg)
{
	struct capture *capture = arg;

	capture->err = capture_stopped(capture);
	return NULL;
}

#define STACK_SIZE (1 << 20) /* whatever the limit of the process says */

/*
 * In a thread of its own: the kernel lets go of what a thread traces when that thread ends, and there is no other way to
 * leave a target that does not stop.
 */
static int capture_live(struct capture *capture)
{
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t thread;
	int err;

	err = -pthread_attr_init(&attr);
	if (err)
		return err;
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	/* The caller's signal handlers have no business there. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = -pthread_create(&thread, &attr, stopper, capture);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	if (err)
		return err;
	pthread_join(thread, NULL);
	return capture->err;
}

static int find_mappings(struct capture *capture)
{
	const struct dwunw_unwind_request *request = &capture->request;

	if (request->address_space) {
		capture->known = &request->address_space->known;
		return 0;
	}
	return process_cache_get(capture->context->processes, request->pid, request->tid,
				 &capture->fresh, &capture->known);
}

int dwunw_capture(struct dwunw_context *context, const struct dwunw_unwind_request *request,
		  struct dwunw_unwind_result *ret)
{
	struct capture capture = {.context = context};
	int err;

	if (!context || !request || !ret ||
	    options_take(&capture.request, sizeof(capture.request), request))
		return -EINVAL;
	err = check(context, &capture.request);
	if (err)
		return err;
	if (thread_is_needed(&capture))
		err = find_thread(&capture.request);
	if (!err)
		err = find_mappings(&capture);
	if (!err)
		err = capture.request.registers ? capture_given(&capture) : capture_live(&capture);
	if (capture.known)
		process_cache_trim(context->processes, capture.known);
	if (err)
		return err == -EACCES ? -EPERM : err;
	*ret = capture.result;
	return 0;
}

int dwunw_forget_process(struct dwunw_context *context, pid_t pid)
{
	if (!context || pid <= 0)
		return -EINVAL;
	return process_cache_forget(context->processes, pid);
}
