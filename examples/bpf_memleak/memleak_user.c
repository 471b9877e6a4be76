/* SPDX-License-Identifier: BSD-2-Clause */
/* memleak_user: the smallest complete program over libdwunw's public headers; README.md is the tutorial. */
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/libbpf.h>
#include <dwunw/dwunw.h>
#include "memleak.h"
#include "memleak.skel.h"

struct tool {
	const char *args[128]; /* by the letter of the option; NULL: not given */
	int pid, seconds;
	struct bpf_object *object;
	struct bpf_link *on_exec, *on_hit;
	struct ring_buffer *records;
	struct dwunw_context *context;
	struct dwunw_bpf *dwunw;
	unsigned long events, stops[DWUNW_N_STOP_REASONS + 1]; /* the last: error, no stack */
};

static const struct argp_option options[] = {
	{"pid", 'p', "PID", 0, "the process", 0},
	{"exec", 'e', "FILE", 0, "path or soname of a file that it maps (libc.so.6)", 0},
	{"symbol", 's', "NAME", 0, "function of FILE (malloc)", 0},
	{"bpf", 'b', "OBJECT", 0, "BPF object whose SEC(\"uprobe\") programs to attach", 0},
	{"duration", 'd', "SECONDS", 0, "end after so long", 0},
	{"quiet", 'q', NULL, 0, "print the closing summary alone", 0},
	{},
};

static volatile sig_atomic_t stopped;
static void stop(int signal)
{
	stopped = signal;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct tool *tool = state->input;
	int *number = key == 'p' ? &tool->pid : key == 'd' ? &tool->seconds : NULL;
	char more;

	if (number && (sscanf(text, "%9d%c", number, &more) != 1 || *number <= 0))
		argp_error(state, "not a positive number: %s", text);
	if (key == ARGP_KEY_END && !tool->pid)
		argp_error(state, "which process? (-p PID)");
	if (key <= 0 || key >= 128)
		return ARGP_ERR_UNKNOWN;
	tool->args[key] = text ? text : "";
	return 0;
}

/* `needs`: what is missing where it is not permitted. */
static int fail(const char *what, const char *name, int err, const char *needs)
{
	fprintf(stderr, "memleak_user: %s %s: %s%s\n", what, name, strerror(-err),
		err == -EPERM || err == -EACCES ? needs : "");
	return err;
}

static int on_record(void *arg, void *data, size_t size)
{
	struct tool *tool = arg;
	const struct hit *hit = data;
	const struct dwunw_stack *stack = NULL;
	uint64_t why = DWUNW_STOP_DROPPED; /* the record of the stack was lost */
	/* libdwunw's own records come before the hits that refer to them */
	if (dwunw_bpf_handle_event(tool->dwunw, data, size) != 1 || size < sizeof(*hit))
		return 0;
	if (dwunw_bpf_find_stack(tool->dwunw, hit->stack_id, &stack) == 0)
		why = stack->stop;
	else if (hit->stack_id & DWUNW_ID_REASON) /* as in a negative errno */
		why = (uint64_t)hit->stack_id & ~DWUNW_ID_REASON;
	why = why < DWUNW_N_STOP_REASONS ? why : DWUNW_N_STOP_REASONS;
	tool->stops[why]++;
	tool->events++;
	if (tool->args['q'])
		return -stopped;
	printf("[event] pid=%u comm=%.16s pc=0x%016llx\n", hit->pid, hit->comm, hit->pc);
	for (size_t i = 0; stack && i < stack->n_frames; i++)
		printf("  #%zu 0x%016lx %s+0x%lx\n", i, stack->frames[i].pc,
		       stack->frames[i].module ? stack->frames[i].module : "[unknown]",
		       stack->frames[i].vaddr);
	if (why != DWUNW_STOP_ROOT)
		printf("  incomplete: %s\n", dwunw_stop_reason_text(why));
	return -stopped; /* hits may come faster than they are printed */
}

static int attach(struct tool *tool)
{
	const char *file = tool->args['e'], *name = tool->args['s'];
	LIBBPF_OPTS(bpf_uprobe_opts, opts, .func_name = name);
	struct bpf_program *program = bpf_object__next_program(tool->object, NULL);

	while (program && strcmp(bpf_program__section_name(program), "uprobe"))
		program = bpf_object__next_program(tool->object, program);
	if (!program)
		return fail("no SEC(\"uprobe\") in", tool->args['b'], -ENOENT, "");
	tool->on_exec = bpf_program__attach(
		bpf_object__find_program_by_name(tool->object, "dwunw_on_exec"));
	tool->on_hit = bpf_program__attach_uprobe_opts(program, tool->pid, file, 0, &opts);
	if (tool->on_exec && tool->on_hit)
		return 0;
	if (errno == ENOENT)
		return fprintf(stderr, "memleak_user: no function %s in %s\n", name, file);
	return fail("cannot attach to", file, -errno, ", needs CAP_SYS_ADMIN");
}

static int start(struct tool *tool)
{
	const char *name = tool->args['b'] ? tool->args['b'] : "(built in)";
	size_t size;
	const void *bytes = memleak_bpf__elf_bytes(&size);
	int err, fd;

	tool->object = tool->args['b'] ? bpf_object__open_file(tool->args['b'], NULL)
				       : bpf_object__open_mem(bytes, size, NULL);
	if (!tool->object)
		return fail("cannot open", name, -errno, "");
	err = dwunw_bpf_prepare(tool->object, NULL);
	if (err == -ENOENT)
		return fail("no dwunw.bpf.h in", name, err, "");
	if (!err)
		err = bpf_object__load(tool->object);
	if (!err)
		err = dwunw_context_create(NULL, &tool->context);
	if (!err)
		err = dwunw_bpf_create(tool->context, tool->object, &tool->dwunw);
	if (err && dwunw_bpf_missing_feature())
		return fail("this kernel lacks", dwunw_bpf_missing_feature(), err, "");
	if (err)
		return fail("cannot load", name, err, ", needs CAP_BPF and CAP_PERFMON");
	err = dwunw_bpf_add_process(tool->dwunw, tool->pid);
	if (err)
		return fail("process", tool->args['p'], err, ", needs CAP_SYS_PTRACE");
	fd = bpf_object__find_map_fd_by_name(tool->object, "dwunw_events");
	tool->records = ring_buffer__new(fd, on_record, tool, NULL);
	return tool->records ? attach(tool) : fail("cannot read", "dwunw_events", -errno, "");
}

static void print_summary(const struct tool *tool)
{
	struct bpf_map *map = bpf_object__find_map_by_name(tool->object, ".data.lost");
	size_t size;
	const __u64 *lost = map ? bpf_map__initial_value(map, &size) : NULL;

	printf("%lu events, %lu complete stacks", tool->events, tool->stops[DWUNW_STOP_ROOT]);
	for (unsigned int why = DWUNW_STOP_ROOT + 1; why <= DWUNW_N_STOP_REASONS; why++)
		if (tool->stops[why])
			printf(", %lu %s", tool->stops[why], dwunw_stop_reason_text(why));
	printf(", %llu events lost\n", lost ? *lost : 0);
}

static void run(struct tool *tool)
{
	time_t last = time(NULL);

	alarm((unsigned int)tool->seconds);
	while (!stopped && (kill(tool->pid, 0) == 0 || errno != ESRCH)) {
		ring_buffer__poll(tool->records, 200);
		fflush(stdout);
		if (last != time(NULL)) /* a hit comes less than a second after its stack */
			dwunw_bpf_forget_unused(tool->dwunw);
		last = time(NULL);
	}
	bpf_link__destroy(tool->on_hit);
	bpf_link__destroy(tool->on_exec);
	stopped = 0;
	ring_buffer__consume(tool->records); /* the rest, now that nothing comes after it */
	print_summary(tool);
}

int main(int argc, char **argv)
{
	static const char doc[] = "Prints each call of a function with its complete stack.";
	static const struct argp argp = {options, parse, NULL, doc, NULL, NULL, NULL};
	static struct tool tool = {.args = {['e'] = "libc.so.6", ['s'] = "malloc"}};
	int err;

	argp_parse(&argp, argc, argv, 0, NULL, &tool);
	if (!tool.args['b'])
		libbpf_set_print(NULL); /* of one's own object, what the verifier says is wanted */
	for (int i = 0; i < 3; i++)
		signal((int[]){SIGINT, SIGTERM, SIGALRM}[i], stop);
	err = start(&tool);
	if (!err)
		run(&tool);
	ring_buffer__free(tool.records);
	dwunw_bpf_destroy(tool.dwunw);
	dwunw_context_destroy(tool.context);
	bpf_object__close(tool.object);
	return err != 0;
}
