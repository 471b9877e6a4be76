/* SPDX-License-Identifier: BSD-2-Clause */
/* For tests: what one can take along of a process: registers, stack, mappings. */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include <sys/uio.h>

#include <dwunw/step_types.h>

#include "arch/arch.h"
#include "../workdir.h"
#include "capture.h"
#include "unwind/stop_thread.h"

struct snapshot {
	struct dwunw_registers registers;
	uint8_t stack[1 << 17];
	size_t stack_size;
	char *maps;
	/* the live stack, with names of its own */
	size_t n;
	uint32_t stop;
	struct dwunw_frame frames[MAX_FRAMES];
};

/* How much of the stack can be read at once. */
static inline size_t copy_stack(pid_t pid, uint64_t sp, void *to, size_t size)
{
	size_t done = 0;

	while (done < size) {
		size_t page = 4096 - (sp + done) % 4096,
		       n = size - done < page ? size - done : page;
		struct iovec local = {(char *)to + done, n},
			     remote = {(void *)(uintptr_t)(sp + done), n};

		if (process_vm_readv(pid, &local, 1, &remote, 1, 0) != (ssize_t)n)
			break;
		done += n;
	}
	return done;
}

/* Of a process that sleeps, so that its stack is the same all the time. */
static inline struct snapshot *take_snapshot(pid_t pid)
{
	struct snapshot *s = calloc(1, sizeof(*s));
	struct dwunw_unwind_result result = {0};
	struct stopped_thread thread;
	char path[64];
	size_t size;

	if (!s || thread_stop(pid, pid, &thread))
		abort();
	thread_registers(&thread, &s->registers);
	s->stack_size = copy_stack(pid, s->registers.regs[arch_native()->step->sp], s->stack,
				   sizeof(s->stack));
	thread_resume(&thread);
	s->registers.valid = arch_native()->step->callee_saved;
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	s->maps = (char *)read_file(path, &size);
	s->maps = realloc(s->maps, size + 1);
	s->maps[size] = '\0';
	pause_ms(2);
	CHECK(capture(pid, 0, &result) == 0);
	s->n = result.n_frames;
	s->stop = result.stop;
	memcpy(s->frames, frames, sizeof(frames));
	for (size_t i = 0; i < s->n; i++)
		if (frames[i].module)
			s->frames[i].module = strdup(frames[i].module);
	return s;
}

static inline void free_snapshot(struct snapshot *s)
{
	for (size_t i = 0; i < s->n; i++)
		free((char *)s->frames[i].module);
	free(s->maps);
	free(s);
}

static inline struct dwunw_unwind_request snapshot_request(const struct snapshot *s,
							   struct dwunw_address_space *space)
{
	return (struct dwunw_unwind_request){
		.size = sizeof(struct dwunw_unwind_request),
		.registers = &s->registers,
		.stack = s->stack,
		.stack_start = s->registers.regs[arch_native()->step->sp],
		.stack_size = s->stack_size,
		.frames = frames,
		.max_frames = MAX_FRAMES,
		.address_space = space,
	};
}

/* Whether a request finds the live stack. */
static inline bool finds_live_stack(const struct snapshot *s,
				    const struct dwunw_unwind_request *request)
{
	struct dwunw_unwind_result result;

	memset(frames, 0x55, sizeof(frames));
	if (dwunw_capture(context, request, &result) || result.n_frames != s->n ||
	    result.stop != s->stop)
		return false;
	for (size_t i = 0; i < s->n; i++) {
		const struct dwunw_frame *a = &frames[i], *b = &s->frames[i];

		if (a->pc != b->pc || a->sp != b->sp || a->cfa != b->cfa || a->ra != b->ra ||
		    a->flags != b->flags || !a->module != !b->module ||
		    (a->module && strcmp(a->module, b->module)))
			return false;
	}
	return true;
}

#endif
