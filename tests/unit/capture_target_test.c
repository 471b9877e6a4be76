/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves that dwunw_capture() leaves its target as it was: hundreds of captures lose, repeat or reorder no signal, and change no value that
 * comes with one; sleeps and waits are neither interrupted nor shortened; a stopped process stays stopped; its parent still gets
 * its exit status. Proves also that a target that another process traces, that ends meanwhile or that cannot be stopped is
 * refused with the documented error, in bounded time, and goes on.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ptrace.h>

#include "capture.h"

#define N_SIGNALS 300

/* The handler counts only what comes in order, with the value it was sent with and from whom. */
static void on_value(int signal, siginfo_t *info, void *unused)
{
	(void)signal, (void)unused;
	if (info->si_code == SI_QUEUE && info->si_pid == getppid() &&
	    info->si_value.sival_int == (int)shared->counter)
		shared->counter++;
	else
		shared->result++;
}

static void take_signals(void)
{
	struct sigaction action = {.sa_sigaction = on_value, .sa_flags = SA_SIGINFO};
	volatile double x = 1;

	sigaction(SIGRTMIN, &action, NULL);
	shared->ready++;
	while (shared->counter + shared->result < N_SIGNALS) {
		/* half of the time busy, half asleep */
		for (int i = 0; i < 20000; i++)
			x = x * 1.0001;
		usleep(10);
	}
	_exit(shared->result ? 1 : 7);
}

static void test_signals(void)
{
	struct dwunw_unwind_result result;
	pid_t pid = start(take_signals, 1);
	int complete = 0;

	for (int i = 0; i < N_SIGNALS; i++) {
		sigqueue(pid, SIGRTMIN, (union sigval){.sival_int = i});
		/* the last one may have ended it */
		if (capture(pid, 0, &result) == 0)
			complete += result.stop == DWUNW_STOP_ROOT;
	}
	CHECK(wait_exit(pid) == 7);
	CHECK(shared->counter == N_SIGNALS && shared->result == 0);
	CHECK(complete >= N_SIGNALS - 2);
}

/* A signal that is blocked stays pending. */
static void block_signal(void)
{
	sigset_t set, pending;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	shared->ready++;
	while (!shared->result)
		usleep(1000);
	sigpending(&pending);
	_exit(sigismember(&pending, SIGUSR1) ? 7 : 8);
}

static void test_blocked_signal(void)
{
	struct dwunw_unwind_result result;
	pid_t pid = start(block_signal, 1);

	kill(pid, SIGUSR1);
	for (int i = 0; i < 5; i++)
		CHECK(capture(pid, 0, &result) == 0 && result.stop == DWUNW_STOP_ROOT);
	shared->result = 1;
	CHECK(wait_exit(pid) == 7);
}

static void sleep_exactly(void)
{
	struct timespec time = {0, 300000000};
	double before = now();
	int err;

	shared->ready++;
	err = nanosleep(&time, NULL);
	shared->counter = (uint64_t)((now() - before) * 1000);
	_exit(err ? 1 : 7);
}

/* poll(2) and read(2): the one is restarted with the time that is left, the other waits on. */
static void wait_for_input(void)
{
	struct pollfd none = {.fd = -1};
	double before = now();
	int ends[2], n;
	char byte;

	if (pipe(ends))
		_exit(1);
	shared->ready++;
	n = poll(&none, 1, 300);
	shared->counter = (uint64_t)((now() - before) * 1000);
	if (n != 0)
		_exit(2);
	shared->ready++;
	if (fork() == 0) {
		usleep(200000);
		_exit(write(ends[1], "x", 1) != 1);
	}
	_exit(read(ends[0], &byte, 1) == 1 ? 7 : 3);
}

static void test_waiting(void (*function)(void))
{
	struct dwunw_unwind_result result;
	pid_t pid = start(function, 1);
	int n = 0;

	for (; state_of(pid) != 'Z' && n < 1000; n++) {
		int err = capture(pid, 0, &result);

		CHECK(err == 0 || err == -ESRCH);
		pause_ms(5);
	}
	CHECK(n > 20);
	CHECK(wait_exit(pid) == 7);
	CHECK(shared->counter >= 300 && shared->counter < 600);
}

static void count(void)
{
	shared->ready++;
	for (;;)
		shared->counter++;
}

static void count_deep(void)
{
	innermost = count;
	level_1();
}

static void test_stopped(void)
{
	struct dwunw_unwind_result result;
	pid_t pid = start(count_deep, 1);
	uint64_t before;
	int status;

	kill(pid, SIGSTOP);
	CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
	before = shared->counter;
	for (int i = 0; i < 5; i++) {
		CHECK(capture(pid, 0, &result) == 0 && result.stop == DWUNW_STOP_ROOT);
		CHECK(has_levels(result.n_frames));
		CHECK(reaches_state(pid, 'T'));
	}
	pause_ms(20);
	CHECK(shared->counter == before);
	CHECK(waitpid(pid, &status, WUNTRACED | WNOHANG) == 0); /* no second report of it */
	kill(pid, SIGCONT);
	pause_ms(50);
	CHECK(state_of(pid) == 'R' && shared->counter > before);
	/* A stop that comes between the captures is not lost. */
	kill(pid, SIGTSTP);
	CHECK(capture(pid, 0, &result) == 0 && reaches_state(pid, 'T'));
	CHECK(WIFSIGNALED(end(pid)));
}

static void test_traced(void)
{
	struct dwunw_unwind_result result;
	pid_t pid = start(count_deep, 1), tracer = fork();

	if (tracer == 0) {
		ptrace(PTRACE_SEIZE, pid, NULL, NULL);
		shared->result = 1;
		pause();
	}
	while (!shared->result)
		pause_ms(1);
	CHECK(capture(pid, 0, &result) == -EBUSY);
	end(tracer);
	CHECK(capture(pid, 0, &result) == 0 && has_levels(result.n_frames));
	CHECK(state_of(pid) == 'R');
	end(pid);
}

static unsigned int end_after_us;

static void end_soon(void)
{
	usleep(end_after_us);
	_exit(7);
}

static void test_ending(void)
{
	struct dwunw_unwind_result result;
	int captured = 0, gone = 0;

	for (int i = 0; i < 100; i++) {
		pid_t pid;
		int err;

		end_after_us = 3000 + 20 * i;
		pid = start(end_soon, 0);
		for (;;) {
			err = capture(pid, 0, &result);
			if (err)
				break;
			captured++;
		}
		CHECK(err == -ESRCH);
		gone += err == -ESRCH;
		CHECK(wait_exit(pid) == 7); /* nobody has taken its status */
		dwunw_forget_process(context, pid);
	}
	CHECK(captured > 0 && gone == 100);
}

static int tracer_of(pid_t pid)
{
	char path[64], line[128];
	int tracer = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file) &&
	       sscanf(line, "TracerPid: %d", &tracer) != 1)
		;
	if (file)
		fclose(file);
	return tracer;
}

/* A parent in vfork(2) sleeps until its child has ended, and takes no signal but SIGKILL. */
static void wait_in_vfork(void)
{
	shared->ready++;
	if (vfork() == 0) {
		nanosleep(&(struct timespec){2, 0}, NULL);
		_exit(0);
	}
	_exit(7);
}

static void test_uninterruptible(void)
{
	struct dwunw_unwind_result result;
	pid_t pid = start(wait_in_vfork, 1);
	double before = now();

	CHECK(capture(pid, 0, &result) == -ETIMEDOUT);
	CHECK(now() - before < 1.9);
	pause_ms(20);
	CHECK(tracer_of(pid) == 0); /* let go */
	CHECK(wait_exit(pid) == 7);
}

/* Whatever the caller has done about its children, stops of threads are still told. */
static void test_no_sigchld(void)
{
	struct dwunw_unwind_result result;
	pid_t pid = start(count_deep, 1);

	signal(SIGCHLD, SIG_IGN);
	CHECK(capture(pid, 0, &result) == 0 && has_levels(result.n_frames));
	signal(SIGCHLD, SIG_DFL);
	end(pid);
}

int main(void)
{
	setup();
	test_no_sigchld();
	test_signals();
	test_blocked_signal();
	test_waiting(sleep_exactly);
	test_waiting(wait_for_input);
	test_stopped();
	test_traced();
	test_ending();
	test_uninterruptible();
	dwunw_context_destroy(context);
	return test_end();
}
