/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Allocation in signal handlers: raised by the thread itself, on the normal and on an alternate stack, nested, after a fault at
 * the first instruction of a function (whose pc, unlike a return address, must not be taken back by one), and after a call through a
 * null pointer (which leaves a pc of 0). Only
 * signals that the program sends itself: the allocator is never interrupted.
 */
#include <setjmp.h>
#include <signal.h>
#include "truth.h"

enum { ROUNDS = 10 };

static sigjmp_buf after_fault;
static char alternate[256 << 10];

FRAME void leak_in_handler(void)
{
	truth_keep(malloc(611));
	NO_TAIL_CALL();
}

FRAME void leak_on_alternate(void)
{
	truth_keep(malloc(712));
	NO_TAIL_CALL();
}

FRAME void leak_nested(void)
{
	truth_keep(malloc(813));
	NO_TAIL_CALL();
}

FRAME void leak_after_fault(void)
{
	truth_keep(malloc(914));
	NO_TAIL_CALL();
}

FRAME void leak_after_null_call(void)
{
	truth_keep(malloc(1015));
	NO_TAIL_CALL();
}

static void on_usr1(int signal)
{
	(void)signal;
	leak_in_handler();
	NO_TAIL_CALL();
}

static void on_usr2(int signal)
{
	(void)signal;
	leak_on_alternate();
	raise(SIGALRM);
	NO_TAIL_CALL();
}

static void on_alarm(int signal)
{
	(void)signal;
	leak_nested();
	NO_TAIL_CALL();
}

static volatile sig_atomic_t null_call;

static void on_fault(int signal)
{
	(void)signal;
	if (null_call)
		leak_after_null_call();
	else
		leak_after_fault();
	siglongjmp(after_fault, 1);
}

FRAME int read_through(volatile int *address)
{
	return *address;
}

static void handle(int signal, void (*handler)(int), int flags)
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

	sigaction(signal, &action, NULL);
}

FRAME void fault(void)
{
	int *volatile nowhere = NULL;

	if (sigsetjmp(after_fault, 1) == 0)
		read_through(nowhere);
	NO_TAIL_CALL();
}

FRAME void call_null(void)
{
	void (*volatile nothing)(void) = NULL;

	null_call = 1;
	if (sigsetjmp(after_fault, 1) == 0)
		nothing();
	null_call = 0;
	NO_TAIL_CALL();
}

int main(void)
{
	stack_t stack = {.ss_sp = alternate, .ss_size = sizeof(alternate)};
	int i;

	sigaltstack(&stack, NULL);
	handle(SIGUSR1, on_usr1, 0);
	handle(SIGUSR2, on_usr2, SA_ONSTACK);
	handle(SIGALRM, on_alarm, 0);
	handle(SIGSEGV, on_fault, SA_ONSTACK);
	truth_ready();
	for (i = 0; i < ROUNDS; i++) {
		raise(SIGUSR1);
		raise(SIGUSR2);
		fault();
		call_null();
	}
	truth(ROUNDS * 611, ROUNDS, "leak_in_handler");
	truth(ROUNDS * 712, ROUNDS, "leak_on_alternate");
	truth(ROUNDS * 813, ROUNDS, "leak_nested");
	truth(ROUNDS * 914, ROUNDS, "leak_after_fault");
	truth(ROUNDS * 1015, ROUNDS, "leak_after_null_call");
	truth_done();
	return 0;
}
