/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records of the ring buffer, handled one after the other, in a process (world.h) that no kernel follows: what would ask the
 * kernel is replaced below. First byte: depth, and whether the process has ended (1) and frames are guessed (2). Each record: its size
 * (2 bytes), then its bytes; DWUNW_EVENT_CUT_SHORT is instead followed by the number of bytes that differ from 0 (2 bytes), and
 * these, the last ones being the slice's, as words of world.h.
 * Holds: what was handled can be found by its id, with frames that can be read.
 */
#include "bpf/internal.h"
#include "bpf/stacks.h"
#include "world.h"

#define MAX_RECORDS 16
#define KEY 2

static volatile uint64_t sink;
static struct traced traced = {.pid = 1, .process = &world};
static bool has_ended;

struct traced *find_by_pid(struct dwunw_bpf *bpf, pid_t pid)
{
	return bpf->traced && bpf->traced->pid == pid ? bpf->traced : NULL;
}

int add_traced(struct dwunw_bpf *bpf, pid_t pid, uint64_t key, struct traced **ret)
{
	(void)bpf;
	(void)pid;
	(void)key;
	(void)ret;
	return -ESRCH;
}

int traced_publish(struct traced_env *env, struct traced *process)
{
	(void)env;
	HOLDS(process == &traced);
	return 0;
}

const struct process *traced_code_at(struct traced *process, uint32_t generation, uint64_t time_ns,
				     bool *permanent_only)
{
	(void)time_ns;
	*permanent_only = process->generation != generation;
	return process->process;
}

void read_history(struct dwunw_bpf *bpf)
{
	(void)bpf;
}

struct module *traced_env_module(const struct traced_env *env, uint32_t id)
{
	(void)env;
	(void)id;
	return NULL;
}

bool traced_has_ended(const struct traced *process)
{
	HOLDS(process == &traced);
	return has_ended;
}

int dwunw_bpf_remove_process(struct dwunw_bpf *bpf, pid_t pid)
{
	HOLDS(find_by_pid(bpf, pid));
	bpf->traced = NULL;
	return 0;
}

void traced_exec(struct traced_env *env, struct traced *process, uint64_t key)
{
	(void)env;
	process->key = key;
}

/* A record of `size` bytes in memory of its own. */
static uint8_t *take_plain(struct input *input, size_t size)
{
	size_t n;
	uint8_t *bytes = input_bytes(input, size, &n), *record = calloc(1, size + 1);

	HOLDS(record);
	memcpy(record, bytes, n);
	free(bytes);
	return record;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* What it says that it has, as far as that is permitted, and no more. */
static struct dwunw_cut_short_event *make_room(struct dwunw_cut_short_event *event, size_t *size)
{
	size_t returns = least(event->n_returns, DWUNW_MAX_RETURNS) * sizeof(struct dwunw_return);
	size_t frames = least(event->n_frames, DWUNW_CUT_SHORT_FRAMES) * 16;

	*size = sizeof(*event) + returns + frames + least(event->slice_size, DWUNW_MAX_SLICE);
	event = realloc(event, *size);
	HOLDS(event);
	memset(event + 1, 0, *size - sizeof(*event));
	return event;
}

static uint8_t *take_cut_short(struct input *input, size_t *size)
{
	struct dwunw_cut_short_event *event = calloc(1, sizeof(*event));
	size_t n = input_uint(input, 2), frames, slice;
	struct dwunw_return *returns;

	HOLDS(event);
	event->event.type = DWUNW_EVENT_CUT_SHORT;
	event->event.tgid = (uint32_t)input_uint(input, 1);
	event->event.process = input_uint(input, 1);
	event->event.stack_id = (int64_t)input_uint(input, 8);
	event->event.time_ns = input_uint(input, 1);
	event->registers.pc = world_word(input_uint(input, 4));
	for (int i = 0; i < DWUNW_MAX_REGS; i++)
		event->registers.regs[i] = world_word(input_uint(input, 4));
	event->registers.valid = (uint32_t)input_uint(input, 4);
	event->stop = (uint32_t)input_uint(input, 1);
	event->skip = (uint32_t)input_uint(input, 4);
	event->n_frames = (uint32_t)input_uint(input, 2);
	event->n_returns = (uint32_t)input_uint(input, 1);
	event->trampoline = world_word(input_uint(input, 4));
	event->slice_start = world_word(input_uint(input, 4));
	event->slice_size = (uint32_t)input_uint(input, 3);
	event->generation = (uint32_t)input_uint(input, 1);
	event->fp_root = event->event.time_ns >> 6 & 1;
	event->second = event->slice_size;
	if (event->event.time_ns & 0x80) {
		event->second /= 2;
		event->second_start = event->registers.regs[0];
	}
	event->missing = input_uint(input, 1) << 1; /* the first unit is there */
	event->whole = event->event.time_ns >> 5 & 1;
	event = make_room(event, size);
	returns = (void *)(event + 1);
	frames = sizeof(*event) + least(event->n_returns, DWUNW_MAX_RETURNS) * sizeof(*returns);
	slice = frames + least(event->n_frames, DWUNW_CUT_SHORT_FRAMES) * 16;
	for (uint32_t i = 0; i < 4; i++) {
		struct dwunw_return found = {world_word(input_uint(input, 4)),
					     world_word(input_uint(input, 4))};
		uint64_t word = world_word(input_uint(input, 4));

		if (sizeof(*event) + (i + 1) * sizeof(found) <= frames)
			returns[i] = found;
		if (frames + (i + 1) * sizeof(word) <= slice)
			memcpy((uint8_t *)event + frames + i * sizeof(word), &word, sizeof(word));
	}
	for (size_t at = 0; at < n && input->left && slice + at + 8 <= *size; at += 8) {
		uint64_t word = world_word(input_uint(input, 4));

		memcpy((uint8_t *)event + slice + at, &word, sizeof(word));
	}
	return (uint8_t *)event;
}

static void check_stack(struct dwunw_bpf *bpf, const struct dwunw_event *event)
{
	const struct dwunw_stack *stack = stacks_find(bpf->stacks, event->stack_id);
	uint64_t sum = 0;

	HOLDS(stack && stack->n_frames <= DWUNW_MAX_FRAMES);
	HOLDS(memchr(stack->comm, 0, sizeof(stack->comm)));
	for (size_t i = 0; i < stack->n_frames; i++) {
		const struct dwunw_frame *frame = &stack->frames[i];

		sum += frame->pc + frame->sp + (frame->module ? strlen(frame->module) : 0);
	}
	sink = sum;
}

static void handle(struct dwunw_bpf *bpf, struct input *input)
{
	size_t size = input_uint(input, 2);
	uint8_t *record = size == 0xffff ? take_cut_short(input, &size) : take_plain(input, size);
	const struct dwunw_event *event = (const void *)record;
	int err;

	err = dwunw_bpf_handle_event(bpf, record, size);
	HOLDS(err <= 1);
	if (err == 0 && (event->type == DWUNW_EVENT_STACK || event->type == DWUNW_EVENT_CUT_SHORT))
		check_stack(bpf, event);
	free(record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dwunw_bpf bpf;
	struct input input = {data, size};

	world_open();
	traced.key = KEY;
	traced.read_ns = 5;
	bpf.traced = &traced;
	bpf.max_depth = (unsigned int)input_uint(&input, 1);
	has_ended = bpf.max_depth & 1;
	bpf.guess = bpf.max_depth & 2;
	bpf.max_depth = 1 + bpf.max_depth / 2;
	HOLDS(stacks_create(&bpf.stacks) == 0);
	for (int i = 0; i < MAX_RECORDS && input.left; i++)
		handle(&bpf, &input);
	HOLDS(stacks_forget_unused(bpf.stacks) <= 0);
	HOLDS(stacks_forget_unused(bpf.stacks) <= 0);
	stacks_destroy(bpf.stacks);
	return 0;
}
