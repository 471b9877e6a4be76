/* SPDX-License-Identifier: BSD-2-Clause */
/* dwunw stack PID: the stack of each thread. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <dwunw/dwunw.h>

#include "bpf/dwunw_bpf.h"
#include "commands.h"
#include "process/process.h"
#include "symbolize/naming.h"
#include "symbolize/symbolize.h"
#include "threads.h"

#define DEFAULT_MAX_FRAMES 1024
#define LARGEST_MAX_FRAMES 1000000

static const char doc[] =
	"Prints the stack of each thread of a process, the innermost frame first.\v"
	"Each thread is stopped for the moment of reading, one after the other. A stack that "
	"does not reach its root ends with the reason in parentheses.";

static const struct argp_option options[] = {
	{"tid", 't', "TID", 0, "Only this thread", 0},
	{"frames", 'n', "N", 0, "At most N frames of each stack (default: 1024)", 0},
	{0},
};

struct stack_command {
	const char *name; /* for messages */
	pid_t pid, tid;	  /* tid 0: all */
	size_t max_frames;
	struct dwunw_context *context;
	struct process *process; /* for the names: it is read apart from the captures */
	struct naming *naming;
	struct symbolizer *symbolizer;
	struct dwunw_frame *frames;
};

static long parse_number(const char *text, long largest, const char *what, struct argp_state *state)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || value < 1 || value > largest)
		argp_error(state, "%s must be a number from 1 to %ld: %s", what, largest, text);
	return value;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct stack_command *command = state->input;

	switch (key) {
	case 't':
		command->tid = parse_number(arg, INT32_MAX, "TID", state);
		return 0;
	case 'n':
		command->max_frames = parse_number(arg, LARGEST_MAX_FRAMES, "N", state);
		return 0;
	case ARGP_KEY_ARG:
		if (command->pid)
			argp_error(state, "one PID only");
		command->pid = parse_number(arg, INT32_MAX, "PID", state);
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "PID is missing");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const char *explain(int err)
{
	switch (err) {
	case -ESRCH:
		return "no such process or thread, or it has no memory of its own";
	case -EBUSY:
		return "traced by another process, a debugger for instance";
	case -ETIMEDOUT:
		return "does not stop: it sleeps uninterruptibly in the kernel";
	case -ENOTSUP:
		return "runs code of another architecture";
	default:
		return strerror(-err);
	}
}

/* Names of files that were mapped since. */
static void refresh_names(struct stack_command *command, size_t n_frames)
{
	bool changed = false;

	for (size_t i = 0; i < n_frames; i++) {
		const struct mapping *mapping =
			process_find_mapping(command->process, command->frames[i].pc - 1);

		if (command->frames[i].module && (!mapping || !mapping->executable))
			changed = true;
	}
	if (changed &&
	    !process_refresh(dwunw_context_modules(command->context), command->process, NULL))
		symbolizer_refresh(command->symbolizer, command->process);
}

static void print_frame(struct symbolizer *symbolizer, size_t i, const struct dwunw_frame *frame)
{
	const char *module = frame->module, *slash;
	struct symbol symbol;

	/* A signal trampoline is not called either: its address is put on the stack by the kernel. */
	symbolizer_find(symbolizer, frame->pc,
			!(frame->flags & (DWUNW_FRAME_EXACT | DWUNW_FRAME_SIGNAL)), &symbol);
	printf("#%-2zu 0x%016" PRIx64, i, frame->pc);
	if (symbol.name)
		printf(" %s+0x%" PRIx64, symbol.name, symbol.offset);
	else
		printf(" ??");
	slash = module ? strrchr(module, '/') : NULL;
	if (module)
		printf(" %s", slash ? slash + 1 : module);
	putchar('\n');
}

static void print_end(const struct dwunw_unwind_result *result)
{
	if (result->stop == DWUNW_STOP_ROOT)
		return;
	if (result->stop == DWUNW_STOP_DEPTH)
		printf("    (more frames: see --frames)\n");
	else if (result->detail)
		printf("    (%s: %s)\n", dwunw_stop_reason_text(result->stop),
		       strerror(-result->detail));
	else
		printf("    (%s)\n", dwunw_stop_reason_text(result->stop));
}

/* A thread that ended meanwhile is no failure unless it is the only one asked for. */
static int print_thread(struct stack_command *command, pid_t tid)
{
	struct dwunw_unwind_request request = {
		.size = sizeof(request),
		.pid = command->pid,
		.tid = tid,
		.frames = command->frames,
		.max_frames = command->max_frames,
	};
	struct dwunw_unwind_result result;
	int err = dwunw_capture(command->context, &request, &result);

	if (err) {
		if (err == -ESRCH && !command->tid)
			return 0;
		fflush(stdout);
		fprintf(stderr, "%s: TID %d: %s\n", command->name, (int)tid, explain(err));
		return STATUS_FAILED;
	}
	refresh_names(command, result.n_frames);
	printf("TID %d:\n", (int)tid);
	for (size_t i = 0; i < result.n_frames; i++)
		print_frame(command->symbolizer, i, &command->frames[i]);
	print_end(&result);
	return result.stop == DWUNW_STOP_ROOT ? 0 : STATUS_FAILED;
}

static int print_threads(struct stack_command *command)
{
	int status = 0, err;
	size_t n;
	pid_t *tids;

	if (command->tid)
		return print_thread(command, command->tid);
	err = threads_list(command->pid, &tids, &n);
	if (err) {
		fprintf(stderr, "%s: %d: %s\n", command->name, (int)command->pid, explain(err));
		return STATUS_FAILED;
	}
	for (size_t i = 0; i < n; i++)
		status |= print_thread(command, tids[i]);
	free(tids);
	return status;
}

/* Any living thread will do to read the mappings by: the first one may have ended before the others. */
static int open_process(struct stack_command *command)
{
	static const struct symbolizer_options names_only = {.no_inlines = true, .no_lines = true};
	size_t n;
	pid_t *tids;
	int err = threads_list(command->pid, &tids, &n);

	if (err)
		return err;
	err = -ESRCH;
	for (size_t i = 0; i < n && err == -ESRCH; i++)
		err = process_open(dwunw_context_modules(command->context), tids[i],
				   &command->process);
	free(tids);
	if (!err)
		err = naming_create(&names_only, &command->naming);
	if (!err)
		err = symbolizer_create(command->process, command->naming, &command->symbolizer);
	return err;
}

static int prepare(struct stack_command *command)
{
	int err = dwunw_context_create(NULL, &command->context);

	if (err)
		return err;
	command->frames = calloc(command->max_frames, sizeof(*command->frames));
	return command->frames ? open_process(command) : -ENOMEM;
}

static void release(struct stack_command *command)
{
	symbolizer_destroy(command->symbolizer);
	naming_destroy(command->naming);
	if (command->process)
		process_close(dwunw_context_modules(command->context), command->process);
	dwunw_context_destroy(command->context);
	free(command->frames);
}

int command_stack(int argc, char **argv)
{
	const struct argp argp = {
		.options = options, .parser = parse, .args_doc = "PID", .doc = doc};
	struct stack_command command = {.name = argv[0], .max_frames = DEFAULT_MAX_FRAMES};
	int status, err;

	argp_parse(&argp, argc, argv, 0, NULL, &command);
	err = prepare(&command);
	if (err) {
		fprintf(stderr, "%s: %d: %s\n", argv[0], (int)command.pid, explain(err));
		status = STATUS_FAILED;
	} else {
		status = print_threads(&command);
	}
	release(&command);
	return status;
}
