// SPDX-License-Identifier: BSD-2-Clause
/* -t: a line for each allocation and each free, and the stack that made it. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <bpf/libbpf.h>

#include "clock.h"
#include "memleak_dwunw.skel.h"
#include "message.h"
#include "session_internal.h"
#include "session_kernel.h"

#define BUDGET_MS 200
#define UNKNOWN_TARGET UINT_MAX
#define OUTPUT_SIZE (256 << 10) /* bytes for one write() */

/* When `mono_ns` of CLOCK_MONOTONIC was, as the wall clock runs now; *us: microseconds of the second. */
static struct tm wall_time(uint64_t mono_ns, unsigned int *us)
{
	struct timespec now;
	int64_t ns;
	time_t seconds;
	struct tm when;

	clock_gettime(CLOCK_REALTIME, &now);
	ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - (int64_t)(monotonic_ns() - mono_ns);
	seconds = ns / 1000000000;
	*us = (unsigned int)(ns % 1000000000 / 1000);
	localtime_r(&seconds, &when);
	return when;
}

static void print_event(const struct memleak_trace *event, uint32_t pid)
{
	unsigned int us;
	struct tm when = wall_time(event->time_ns, &us);

	printf("[%d:%d:%d.%06u] pid=%u tid=%u ", when.tm_hour, when.tm_min, when.tm_sec, us, pid,
	       event->tid);
	if (event->kind == MEMLEAK_TRACE_ALLOC)
		printf("alloc exited, size = %llu, result = %llx\n", event->size, event->addr);
	else
		printf("free entered, address = %llx, size = %llu\n", event->addr, event->size);
}

/* Frames that are known by address alone have the names of the image that they were in, or none. */
static int choose_names(struct session *session, unsigned int number, uint64_t image,
			struct collect_target *ret)
{
	struct target *target = &session->targets[number];
	const volatile __u64 *now = &session->skel->bss->target_images[number];
	uint64_t named;
	int err = 0;

	if (!*now)
		target->first_image = image;
	else if (*now == image && target->named_image != image)
		err = target_symbols(session, target);
	named = target->named_image ? target->named_image : target->first_image;
	ret->symbolizer = named == image ? target->symbolizer : NULL;
	return err;
}

static int on_event(void *arg, void *data, size_t size)
{
	struct session *session = arg;
	const struct memleak_trace *event = data;
	struct collect_target targets[MEMLEAK_MAX_TARGETS];
	struct collect_source source;
	struct report_stack stack;
	unsigned int target = session->kernel ? 0 : UNKNOWN_TARGET;
	bool by_address;
	int err = 0;

	(void)size;
	session_source(session, targets, &source);
	if (!session->kernel) /* whose it was is known after an exec as well */
		collect_find_target(targets, source.n_targets, event->image, event->time_ns,
				    &target);
	if (target == UNKNOWN_TARGET)
		return 0;
	by_address = !session->kernel;
	by_address &= !session->dwunw; /* dwunw-added */
	if (by_address)
		err = choose_names(session, target, event->image, &targets[target]);
	if (!err)
		err = collect_stack(&source, target, event->stack_id, &stack);
	if (err)
		return err;
	print_event(event, session->kernel ? (uint32_t)(event->image >> 32) : stack.pid);
	report_print_stack(stdout, &stack, session->options.verbose);
	err = ferror(stdout) ? session_stdout_failed() : 0;
	free(stack.frames);
	if (err)
		return err;
	if (session->trace_until_ns)
		return event->time_ns < session->trace_until_ns ? 0 : -EAGAIN;
	return monotonic_ms() < session->trace_deadline_ms ? 0 : -EAGAIN;
}

int trace_start(struct session *session)
{
	int fd;

	if (!session->options.trace)
		return 0;
	fd = session->kernel ? kernel_trace_fd(session->kernel)
			     : bpf_map__fd(session->skel->maps.memleak_trace);
	setvbuf(stdout, NULL, _IOFBF,
		OUTPUT_SIZE); /* flushed whenever there is nothing more to print */
	session->trace = ring_buffer__new(fd, on_event, session, NULL);
	return session->trace ? 0 : -errno;
}

int trace_handle(struct session *session)
{
	if (!session->trace)
		return 0;
	session->trace_deadline_ms = monotonic_ms() + BUDGET_MS;
	if (ring_buffer__consume(session->trace) == -EIO)
		return -EIO;
	return session_flush();
}

int trace_handle_all(struct session *session)
{
	int err;

	session->trace_until_ns = monotonic_ns();
	err = trace_handle(session);
	session->trace_until_ns = 0;
	return err;
}
