/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bpf/dwunw_bpf.h"
#include "check.h"
#include "process/process.h"
#include "unwind/memory.h"
#include "unwind/stop_thread.h"

/* One thread at a time is looked at; the others run meanwhile, each up to its next instruction. */
struct tracer {
	struct check *check;
	struct check_thread *threads;
	pid_t last; /* whose memory is in the cache */
	bool ended;
};

static struct check_thread *find_thread(struct tracer *tracer, pid_t tid)
{
	struct check_thread *thread = tracer->threads;

	while (thread && thread->tid != tid)
		thread = thread->next;
	if (thread)
		return thread;
	thread = calloc(1, sizeof(*thread));
	if (!thread)
		return NULL;
	thread->tid = tid;
	thread->next = tracer->threads;
	tracer->threads = thread;
	return thread;
}

static void remove_thread(struct tracer *tracer, pid_t tid)
{
	for (struct check_thread **p = &tracer->threads; *p; p = &(*p)->next) {
		struct check_thread *thread = *p;

		if (thread->tid != tid)
			continue;
		*p = thread->next;
		check_settle(tracer->check, thread);
		truth_free(&thread->truth);
		free(thread->mismatches);
		free(thread);
		return;
	}
}

/* The mappings may have changed. They are read by way of a thread that lives, which the first one may not. */
static int refresh_process(struct tracer *tracer, pid_t tid)
{
	struct check *check = tracer->check;
	struct module_cache *modules = dwunw_context_modules(check->context);
	bool changed = true;
	int err;

	if (check->process) {
		check->process->pid = tid;
		err = process_refresh(modules, check->process, &changed);
	} else {
		err = process_open(modules, tid, &check->process);
	}
	if (err || !changed)
		return err;
	check->epoch++;
	dwunw_forget_process(check->context, check->pid);
	return 0;
}

static int read_word(struct check *check, uint64_t addr, uint64_t *ret)
{
	return memory_read(check->memory, addr, ret, sizeof(*ret));
}

static void fetch(struct check *check, struct check_thread *thread)
{
	uint64_t pc = thread->registers.pc;
	struct code *code =
		&check->code[(pc ^ pc >> CODE_CACHE_BITS) & ((1 << CODE_CACHE_BITS) - 1)];

	if (code->epoch != check->epoch || code->pc != pc) {
		uint8_t bytes[LONGEST_INSTRUCTION];
		size_t size = sizeof(bytes);

		/* The last one of a mapping is shorter than what can be. */
		while (size > 0 && memory_read(check->memory, pc, bytes, size))
			size--;
		code->epoch = check->epoch;
		code->pc = pc;
		code->instruction = decode(check->decoder, bytes, size, pc);
	}
	thread->instruction = code->instruction;
}

/*
 * Whether the kernel has put a frame for the signal that the thread was resumed with: the handler's first instruction comes next. The
 * frame says where the handler will return to: to the pc, or before a system call that is made again.
 */
static int enter_handler(struct check *check, struct check_thread *thread,
			 const struct dwunw_registers *now, bool *ret)
{
	const struct machine *machine = decoder_machine(check->decoder);
	uint64_t sp = check_sp(now), old_pc = thread->registers.pc, restorer, pc, old_sp;

	*ret = false;
	if (!thread->injected)
		return 0;
	thread->injected = 0;
	if (read_word(check, sp, &restorer) || read_word(check, sp + machine->signal_pc, &pc) ||
	    read_word(check, sp + machine->signal_sp, &old_sp))
		return 0;
	if (now->pc == old_pc || old_sp != check_sp(&thread->registers) || pc > old_pc ||
	    old_pc - pc > LONGEST_INSTRUCTION)
		return 0;
	*ret = true;
	check->counts.signals++;
	return truth_signal(&thread->truth, sp, restorer, pc, old_sp);
}

static int after_instruction(struct tracer *tracer, struct check_thread *thread,
			     const struct dwunw_registers *now)
{
	struct check *check = tracer->check;
	const struct dwunw_registers *before = &thread->registers;
	struct executed executed = {
		.instruction = &thread->instruction,
		.pc = before->pc,
		.sp = check_sp(before),
		.new_pc = now->pc,
		.new_sp = check_sp(now),
	};
	uint8_t kind = thread->instruction.kind;
	uint64_t top = 0;
	int err = 0;

	check->counts.instructions++;
	if (kind == KIND_SYSCALL)
		err = refresh_process(tracer, thread->tid);
	if (thread->truth.now.entering)
		read_word(check, executed.new_sp, &top);
	if (!err)
		err = truth_execute(&thread->truth, &executed, top);
	if (err)
		return err;
	thread->registers = *now;
	thread->whole_next = kind == KIND_CALL || kind == KIND_RETURN;
	if (kind != KIND_CALL && kind != KIND_RETURN && kind != KIND_JUMP)
		return 0;
	if (thread->truth.now.left && kind != KIND_CALL)
		check_resolve(check, thread);
	else if (kind != KIND_JUMP)
		check_settle(check, thread);
	if (kind != KIND_CALL)
		thread->truth.now.left = false;
	return 0;
}

/* Its first instruction: of a thread, or of a program. */
static int start_thread(struct tracer *tracer, struct check_thread *thread)
{
	struct check *check = tracer->check;

	if (thread->executing || !check->process) {
		int err = refresh_process(tracer, thread->tid);

		if (err)
			return err;
		check->counts.programs++;
	}
	if (!thread->started)
		check->counts.threads++;
	thread->started = true;
	thread->executing = false;
	truth_start(&thread->truth, decoder_machine(check->decoder), check_sp(&thread->registers));
	return 0;
}

/* A trap that is not that of the single step is a signal like any other. */
static bool is_own_trap(const struct check_thread *thread)
{
	siginfo_t info;

	if (thread->instruction.kind == KIND_TRAP)
		return true;
	return thread->instruction.kind == KIND_SYSCALL &&
	       ptrace(PTRACE_GETSIGINFO, thread->tid, NULL, &info) == 0 && info.si_code <= 0;
}

/* What has happened since the thread was resumed. *deliver: the signal that it is to have. */
static int advance(struct tracer *tracer, struct check_thread *thread, int signal, int *deliver)
{
	struct check *check = tracer->check;
	struct stopped_thread stopped = {.tid = thread->tid};
	struct dwunw_registers now;
	bool handled;
	int err = thread_registers(&stopped, &now);

	if (err)
		return err;
	if (tracer->last != thread->tid || tracer->threads->next || thread->injected ||
	    thread->executing || thread->instruction.may_write)
		memory_begin(check->memory, thread->tid);
	tracer->last = thread->tid;
	*deliver = signal == SIGTRAP ? 0 : signal;
	if (!thread->started || thread->executing) {
		thread->registers = now;
		*deliver = 0;
		return start_thread(tracer, thread);
	}
	err = enter_handler(check, thread, &now, &handled);
	if (err)
		return err;
	if (handled) {
		thread->registers = now;
		return 0;
	}
	if (signal == SIGTRAP && is_own_trap(thread))
		*deliver = SIGTRAP;
	if (signal == SIGTRAP || now.pc != thread->registers.pc)
		return after_instruction(tracer, thread, &now);
	return 0;
}

static int step(struct check_thread *thread, int signal)
{
	thread->injected = signal;
	if (ptrace(PTRACE_SINGLESTEP, thread->tid, NULL, (void *)(long)signal))
		return errno == ESRCH ? 0 : -errno; /* killed: its end comes next */
	return 0;
}

static int handle_stop(struct tracer *tracer, pid_t tid, int status)
{
	struct check_thread *thread = find_thread(tracer, tid);
	int deliver = 0, err;

	if (!thread)
		return -ENOMEM;
	if (status >> 16) {
		/* The other threads of a program that was replaced have ended, and their ends have been told. */
		if (status >> 16 == PTRACE_EVENT_EXEC)
			thread->executing = true;
		return step(thread, 0);
	}
	err = advance(tracer, thread, WSTOPSIG(status), &deliver);
	if (err == -ESRCH) /* killed meanwhile */
		return step(thread, deliver);
	if (!err) {
		fetch(tracer->check, thread);
		err = check_compare(tracer->check, thread);
	}
	return err ? err : step(thread, deliver);
}

static int run(struct tracer *tracer)
{
	struct check *check = tracer->check;
	uint64_t limit = check->options.limit;
	int err = 0;

	while (!tracer->ended && !err) {
		int status;
		pid_t tid = waitpid(-1, &status, __WALL);

		if (tid < 0) {
			if (errno == EINTR)
				continue;
			return errno == ECHILD ? 0 : -errno;
		}
		if (WIFSTOPPED(status)) {
			err = handle_stop(tracer, tid, status);
		} else {
			remove_thread(tracer, tid);
			if (tid == check->pid) {
				check->exit_status = status;
				tracer->ended = true;
			}
		}
		if (limit && check->counts.instructions >= limit)
			break;
	}
	return err;
}

/* Never returns. */
static void execute(char **argv)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	execvp(argv[0], argv);
	_exit(errno == ENOENT ? 127 : 126);
}

static int start(struct check *check, char **argv)
{
	int status;

	check->pid = fork();
	if (check->pid < 0)
		return -errno;
	if (check->pid == 0)
		execute(argv);
	if (waitpid(check->pid, &status, 0) < 0)
		return -errno;
	if (!WIFSTOPPED(status))
		return WEXITSTATUS(status) == 127 ? -ENOENT : -EACCES;
	if (ptrace(PTRACE_SETOPTIONS, check->pid, NULL,
		   PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC))
		return -errno;
	return status;
}

int check_trace(struct check *check, char **argv)
{
	struct tracer tracer = {.check = check};
	int err = start(check, argv);

	if (err > 0)
		err = handle_stop(&tracer, check->pid, err);
	if (!err)
		err = run(&tracer);
	if (check->pid > 0 && !tracer.ended) {
		kill(check->pid, SIGKILL);
		while (waitpid(-1, NULL, __WALL) > 0 || errno == EINTR)
			;
	}
	while (tracer.threads)
		remove_thread(&tracer, tracer.threads->tid);
	if (check->process)
		process_close(dwunw_context_modules(check->context), check->process);
	check->process = NULL;
	return err;
}
