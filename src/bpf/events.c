/* SPDX-License-Identifier: BSD-2-Clause */
/* The records of the ring buffer: new stacks, stacks to be finished here, replaced process images. */
#include <errno.h>
#include <string.h>

#include <dwunw/bpf_format.h>
#include <dwunw/dwunw.h>
#include <dwunw/step_types.h>

#include "bpf/internal.h"
#include "bpf/stacks.h"
#include "process/process.h"
#include "unwind/unwind.h"

#define APART_WORDS 64
#define UNKNOWN_PAUSE_NS 10000000
#define OUT_OF_ORDER_NS 1000000000 /* more than events of different CPUs are */

static struct traced *find_by_key(struct dwunw_bpf *bpf, uint64_t key)
{
	struct traced *traced = bpf->traced;

	while (traced && traced->key != key)
		traced = traced->next;
	return traced;
}

static void describe(const struct dwunw_bpf *bpf, const struct dwunw_event *event,
		     struct dwunw_stack *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->pid = (pid_t)event->tgid;
	ret->tid = (pid_t)event->tid;
	memcpy(ret->comm, event->comm, sizeof(ret->comm));
	ret->comm[sizeof(ret->comm) - 1] = '\0';
	ret->frames = bpf->frames;
	ret->has_details = bpf->details;
}

/* The file that the kernel walked the frame with. */
static void set_module(const struct dwunw_bpf *bpf, uint64_t code, struct dwunw_frame *frame)
{
	const struct module *module = NULL;

	if (!(code & DWUNW_CODE_NO_TABLE))
		module = traced_env_module(&bpf->env, (uint32_t)(code >> DWUNW_CODE_SHIFT));
	if (!module)
		return;
	frame->module = module->path;
	frame->module_id = module->id;
	frame->vaddr = code & DWUNW_CODE_MASK;
}

static void set_mapping(const struct mapping *mapping, struct dwunw_frame *frame)
{
	frame->module = mapping->module->path;
	frame->module_id = mapping->module->id;
	frame->vaddr = frame->pc - mapping->load_bias;
}

/* The files that the frames of a stack finished here were walked with. Memory of no file may have names elsewhere, if it is known. */
static void find_modules(const struct unwind_snapshot *snapshot, bool is_past,
			 struct dwunw_frame *frames, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct dwunw_frame *frame = &frames[i];
		uint64_t pc = frame->pc - !(frame->flags & DWUNW_FRAME_EXACT);
		const struct mapping *mapping = process_find_mapping(snapshot->process, pc);

		if (!mapping || !mapping->executable ||
		    (snapshot->permanent_only && !mapping->permanent) ||
		    (is_past && mapping->error))
			frame->flags |= DWUNW_FRAME_UNKNOWN;
		else if (mapping->module)
			set_mapping(mapping, frame);
	}
}

static int handle_stack(struct dwunw_bpf *bpf, const void *data, size_t size)
{
	const struct dwunw_stack_event *event = data;
	const uint64_t *words = (const void *)(event + 1);
	size_t stride, n;
	struct dwunw_stack stack;

	if (size < sizeof(*event))
		return -EBADMSG;
	stride = event->has_sp ? 3 : 2;
	n = event->n_frames;
	if (n > DWUNW_MAX_FRAMES || (size - sizeof(*event)) / sizeof(*words) < n * stride)
		return -EBADMSG;
	for (size_t i = 0; i < n; i++) {
		const uint64_t *word = &words[i * stride];
		bool last = i + 1 == n;

		bpf->frames[i] = (struct dwunw_frame){
			.pc = DWUNW_FRAME_PC(word[0]),
			.flags = DWUNW_FRAME_FLAGS(word[0]),
			.ra = last ? 0 : DWUNW_FRAME_PC(word[stride]),
		};
		set_module(bpf, word[1], &bpf->frames[i]);
		if (event->has_sp) {
			bpf->frames[i].sp = word[2];
			bpf->frames[i].cfa = last ? 0 : word[stride + 2];
		}
	}
	describe(bpf, &event->event, &stack);
	stack.stop = event->stop;
	stack.n_frames = n;
	return stacks_add(bpf->stacks, event->event.stack_id, event->event.process, &stack);
}

/* What follows a cut-short record, whose numbers and size were checked. */
static const struct dwunw_return *returns_of(const struct dwunw_cut_short_event *event)
{
	return (const void *)(event + 1);
}

static const uint64_t *frames_of(const struct dwunw_cut_short_event *event)
{
	return (const void *)(returns_of(event) + event->n_returns);
}

static const uint8_t *slice_of(const struct dwunw_cut_short_event *event)
{
	return (const void *)(frames_of(event) + 2 * (size_t)event->n_frames);
}

static size_t tail_size(const struct dwunw_cut_short_event *event)
{
	return (size_t)(slice_of(event) - (const uint8_t *)(event + 1)) + event->slice_size;
}

/* The frames that the kernel had when it gave up, for want of more. */
static void take_kernel_frames(struct dwunw_bpf *bpf, const struct dwunw_cut_short_event *event,
			       struct dwunw_stack *stack)
{
	size_t n = event->n_frames < bpf->max_depth ? event->n_frames : bpf->max_depth;
	const uint64_t *words = frames_of(event);

	for (size_t i = 0; i < n; i++) {
		bpf->frames[i] = (struct dwunw_frame){.pc = DWUNW_FRAME_PC(words[2 * i]),
						      .flags = DWUNW_FRAME_FLAGS(words[2 * i])};
		set_module(bpf, words[2 * i + 1], &bpf->frames[i]);
	}
	stack->n_frames = n;
	stack->stop = event->fp_root && n == event->n_frames ? DWUNW_STOP_ROOT : event->stop;
}

/* Where in the slice of the record the byte at `addr` would be; slice_size or more: nowhere. */
static uint64_t slice_off(const struct dwunw_cut_short_event *event, uint64_t addr)
{
	uint64_t second_size = event->slice_size - event->second;

	if (addr - event->slice_start < event->second)
		return addr - event->slice_start;
	if (addr - event->second_start < second_size)
		return addr - event->second_start + event->second;
	return event->slice_size;
}

static bool has_byte(const struct dwunw_cut_short_event *event, uint64_t addr)
{
	uint64_t off = slice_off(event, addr);

	return off < event->slice_size && !(event->missing >> off / DWUNW_SLICE_UNIT & 1);
}

/* A dwunw_read_fn over the slice of a record, whose sizes were checked; of a word, or less. */
static int read_slice(void *arg, uint64_t addr, void *buf, size_t size)
{
	const struct dwunw_cut_short_event *event = arg;
	uint64_t off = slice_off(event, addr);

	if (!has_byte(event, addr) || !has_byte(event, addr + size - 1) ||
	    slice_off(event, addr + size - 1) != off + size - 1)
		return -EFAULT;
	memcpy(buf, slice_of(event) + off, size);
	return 0;
}

/* The part of the slice before the first piece that is missing, or of another stack: read without a call. */
static size_t leading_bytes(const struct dwunw_cut_short_event *event)
{
	size_t bytes = event->missing ? (size_t)__builtin_ctzll(event->missing) * DWUNW_SLICE_UNIT
				      : DWUNW_MAX_SLICE;

	return bytes < event->second ? bytes : event->second;
}

/* A longer slice would have had the word at `addr`, it seems. */
static bool is_beyond(const struct dwunw_cut_short_event *event, uint64_t addr)
{
	if (slice_off(event, addr) < event->slice_size || event->whole)
		return false;
	return addr >= event->slice_start ||
	       (event->second < event->slice_size && addr >= event->second_start);
}

/*
 * The owner of a stack that ends before its root: differs with what lies on the stack above its end, so that two
 * callers above the same unknown code do not become one (see dwunw_tell_apart() of dwunw.bpf.h).
 */
static uint64_t apart(const struct dwunw_cut_short_event *event, const struct dwunw_stack *stack,
		      uint64_t owner)
{
	uint64_t end = stack->n_frames ? stack->frames[stack->n_frames - 1].sp : 0, off, word;
	uint64_t hash = owner ^ end;

	off = slice_off(event, end);
	if (end < event->slice_start &&
	    off >= event->slice_size) /* not known: whatever was copied */
		off = 0;
	off &= ~7ULL;
	for (int i = 0; i < APART_WORDS && event->slice_size - off >= sizeof(word); i++) {
		memcpy(&word, slice_of(event) + off, sizeof(word));
		if (event->missing >> off / DWUNW_SLICE_UNIT & 1)
			word = 0;
		hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
		off += sizeof(word);
	}
	return hash | DWUNW_ID_EVENT; /* never a process key */
}

/*
 * The stack by call frame information; where that leads to no root, what frame pointers give, here or as the kernel found it, if that does; else what
 * there is without.
 */
static void unwind(struct dwunw_bpf *bpf, const struct dwunw_cut_short_event *event,
		   struct unwind_snapshot *snapshot, struct dwunw_unwind_result *ret)
{
	unwind_snapshot(snapshot, event->skip, bpf->max_depth, bpf->frames, ret);
	if (ret->stop == DWUNW_STOP_ROOT || ret->stop == DWUNW_STOP_DEPTH || !bpf->guess)
		return;
	for (uint32_t by_fp = DWUNW_FP_WHERE_STUCK; by_fp <= DWUNW_FP_FIRST; by_fp++) {
		snapshot->by_fp = by_fp;
		unwind_snapshot(snapshot, event->skip, bpf->max_depth, bpf->frames, ret);
		if (ret->stop == DWUNW_STOP_ROOT)
			return;
	}
	snapshot->by_fp = DWUNW_FP_NO_MORE;
	unwind_snapshot(snapshot, event->skip, bpf->max_depth, bpf->frames, ret);
}

static void count_end(struct dwunw_bpf *bpf, const struct dwunw_stack *stack)
{
	bool by_frame_pointer = false;

	if (stack->stop != DWUNW_STOP_ROOT) {
		bpf->cut_short[stack->stop % DWUNW_N_STOP_REASONS]++;
		return;
	}
	for (size_t i = 0; i < stack->n_frames; i++)
		by_frame_pointer |= stack->frames[i].flags & DWUNW_FRAME_FP;
	bpf->fp_finished += by_frame_pointer;
	bpf->finished++;
}

static int finish(struct dwunw_bpf *bpf, struct traced *traced,
		  const struct dwunw_cut_short_event *event)
{
	struct unwind_snapshot snapshot = {
		.registers = &event->registers,
		.entry_sp = event->entry_sp,
		.slice_start = event->slice_start,
		.slice = slice_of(event),
		.slice_size = leading_bytes(event),
		.read = read_slice,
		.read_arg = (void *)event,
		.trampoline = event->trampoline,
		.returns = returns_of(event),
		.n_returns = event->n_returns,
	};
	uint64_t owner = event->event.process;
	struct dwunw_unwind_result end;
	struct dwunw_stack stack;

	describe(bpf, &event->event, &stack);
	stack.finished_in_user_space = true;
	if (traced) {
		stack.pid = traced->pid;
		snapshot.process = traced_code_at(traced, event->generation, event->event.time_ns,
						  &snapshot.permanent_only);
		unwind(bpf, event, &snapshot, &end);
		stack.stop = end.stop;
		if (end.stop == DWUNW_STOP_BAD_READ && is_beyond(event, end.address))
			stack.stop = DWUNW_STOP_SLICE;
		stack.n_frames = end.n_frames;
		find_modules(&snapshot, snapshot.process != traced->process, bpf->frames,
			     stack.n_frames);
	}
	if (!traced || (event->fp_root && bpf->guess && stack.stop != DWUNW_STOP_ROOT &&
			stack.stop != DWUNW_STOP_DEPTH))
		take_kernel_frames(bpf, event, &stack);
	count_end(bpf, &stack);
	if (stack.stop != DWUNW_STOP_ROOT && stack.stop != DWUNW_STOP_DEPTH)
		owner = apart(event, &stack, owner);
	return stacks_add(bpf->stacks, event->event.stack_id, owner, &stack);
}

/*
 * Whether the mappings are to be read again for this event: not if they were since it happened. For an address in no mapping not for
 * UNKNOWN_PAUSE_NS after that was in vain.
 */
static bool needs_refresh(const struct traced *traced, const struct dwunw_cut_short_event *event)
{
	uint64_t time_ns = event->event.time_ns;

	if (time_ns < traced->read_ns)
		return false;
	if (event->stop == DWUNW_STOP_NO_MAPPING)
		return time_ns - traced->in_vain_ns > UNKNOWN_PAUSE_NS;
	return event->stop == DWUNW_STOP_STALE || event->stop == DWUNW_STOP_NO_PROCESS;
}

/* The process of an event; one that is new to us is opened. NULL: it has ended, or may not be read. */
static struct traced *traced_of(struct dwunw_bpf *bpf, const struct dwunw_event *event)
{
	struct traced *traced = find_by_key(bpf, event->process);

	if (traced || !event->tgid)
		return traced;
	traced = find_by_pid(bpf, (pid_t)event->tgid);
	if (traced && traced_has_ended(traced)) {
		dwunw_bpf_remove_process(bpf, traced->pid);
		traced = NULL;
	}
	if (traced) { /* exec by a thread that was not the leader */
		traced_exec(&bpf->env, traced, event->process);
		traced_publish(&bpf->env, traced);
		return traced;
	}
	add_traced(bpf, (pid_t)event->tgid, event->process, &traced);
	return traced;
}

static int handle_cut_short(struct dwunw_bpf *bpf, const void *data, size_t size)
{
	const struct dwunw_cut_short_event *event = data;
	struct traced *traced;

	if (size < sizeof(*event) || event->n_returns > DWUNW_MAX_RETURNS ||
	    event->n_frames > DWUNW_CUT_SHORT_FRAMES || event->slice_size > DWUNW_MAX_SLICE ||
	    event->second > event->slice_size || tail_size(event) > size - sizeof(*event) ||
	    event->skip > DWUNW_MAX_FRAMES) /* frames may go round in a circle */
		return -EBADMSG;
	traced = traced_of(bpf, &event->event);
	if (traced && needs_refresh(traced, event)) {
		traced_publish(&bpf->env, traced);
		if (event->stop == DWUNW_STOP_NO_MAPPING && !traced->changed)
			traced->in_vain_ns = traced->read_ns;
	}
	return finish(bpf, traced, event);
}

static int handle_process(struct dwunw_bpf *bpf, const void *data)
{
	const struct dwunw_event *event = data;
	struct traced *traced = find_by_pid(bpf, (pid_t)event->tgid);

	if (!traced)
		return 0; /* announces itself with its first stack */
	traced_exec(&bpf->env, traced, event->process);
	return traced_publish(&bpf->env, traced);
}

/* The dynamic linker has added or removed objects: their tables had better be there before their code runs. */
static int handle_mappings(struct dwunw_bpf *bpf, const void *data)
{
	const struct dwunw_event *event = data;
	struct traced *traced = find_by_key(bpf, event->process);

	if (!traced || event->time_ns < traced->read_ns) /* one reading answers several of them */
		return 0;
	return traced_publish(&bpf->env, traced);
}

int dwunw_bpf_handle_event(struct dwunw_bpf *bpf, const void *data, size_t size)
{
	const struct dwunw_event *event = data;

	if (!bpf || !data || size < sizeof(event->type))
		return -EINVAL;
	if (event->type >= DWUNW_EVENT_TOOL)
		return 1;
	if (size < sizeof(*event))
		return -EBADMSG;
	if (event->time_ns > OUT_OF_ORDER_NS + bpf->env.handled_ns)
		bpf->env.handled_ns = event->time_ns - OUT_OF_ORDER_NS;
	read_history(bpf);
	switch (event->type) {
	case DWUNW_EVENT_STACK:
		return handle_stack(bpf, data, size);
	case DWUNW_EVENT_CUT_SHORT:
		return handle_cut_short(bpf, data, size);
	case DWUNW_EVENT_PROCESS:
		return handle_process(bpf, data);
	case DWUNW_EVENT_MAPPINGS:
		return handle_mappings(bpf, data);
	default:
		return -EBADMSG;
	}
}
