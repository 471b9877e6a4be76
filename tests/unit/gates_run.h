/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs functions with the processor's trap flag, and looks before each instruction for the gates and returns that were found. The
 * conditions are evaluated as the BPF program does it. Of one thread.
 */
#ifndef GATES_RUN_H
#define GATES_RUN_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>

#include "../test.h"
#include "arch/x86_64/dwunw_condition.h"
#include "gates.h"

#define TRAP_FLAG 0x100

typedef void *(*any)();

/* What is watched of the calls of one function; vaddrs. */
struct watched {
	const struct gates *gates;
	const uint64_t *returns; /* that keep a probe */
	size_t n_returns;
};

static struct call {
	const struct watched *function;
	uint64_t bias; /* from vaddrs to addresses */
	bool begun;
	uint64_t cfa;
	unsigned int gates, returns; /* passed */
	uint64_t seen;		     /* the result, as first seen before the return */
	bool differs;		     /* it was seen with another result, or another stack pointer */
} call;

static struct totals {
	unsigned int calls, by_gate, by_return, by_both, wrong;
} totals;

/* By DWARF number. */
static uint64_t register_of(const greg_t *registers, unsigned int index)
{
	static const int numbers[] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI,
				      REG_RBP, REG_RSP, REG_R8,	 REG_R9,  REG_R10, REG_R11,
				      REG_R12, REG_R13, REG_R14, REG_R15};

	return (uint64_t)registers[numbers[index]];
}

static void see(uint64_t cfa, uint64_t result, unsigned int *counter)
{
	if (cfa < call.cfa) /* of a function within it */
		return;
	if (!call.gates && !call.returns)
		call.seen = result;
	call.differs |= cfa > call.cfa || call.seen != result;
	(*counter)++;
}

/* Before each instruction. */
static void look(int signal, siginfo_t *info, void *context)
{
	const greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
	uint64_t vaddr = (uint64_t)r[REG_RIP] - call.bias, sp = (uint64_t)r[REG_RSP];
	const struct gates *gates = call.function->gates;

	(void)signal;
	(void)info;
	if (!call.begun)
		return;
	for (size_t i = 0; i < gates->n; i++) {
		const struct gate *gate = &gates->gates[i];

		if (gate->vaddr == vaddr &&
		    dwunw_condition_holds(gate->condition, (uint64_t)r[REG_EFL]))
			see(sp + gate->below + 8, register_of(r, gate->holder), &call.gates);
	}
	for (size_t i = 0; i < call.function->n_returns; i++)
		if (call.function->returns[i] == vaddr)
			see(sp + 8, (uint64_t)r[REG_RAX], &call.returns);
}

static inline void start_looking(void)
{
	static char stack[65536];
	const stack_t own = {.ss_sp = stack, .ss_size = sizeof(stack)};
	const struct sigaction action = {.sa_sigaction = look, .sa_flags = SA_SIGINFO | SA_ONSTACK};

	CHECK(sigaltstack(&own, NULL) == 0 && sigaction(SIGTRAP, &action, NULL) == 0);
}

/* Calls it with the trap flag set. `cfa`: what its stack pointer will be when it has returned. */
__attribute__((noinline)) static void *traced_call(any function, const long *args)
{
	uint64_t sp;
	void *ret;

	call.gates = call.returns = 0;
	call.differs = false;
	totals.calls++;
	__asm__ volatile("mov %%rsp, %[sp]\n\t"
			 "sub $128, %%rsp\n\t"
			 "and $-16, %%rsp\n\t"
			 "mov %%rsp, %[cfa]\n\t"
			 "movb $1, %[begun]\n\t"
			 "pushfq\n\t"
			 "orl %[flag], (%%rsp)\n\t"
			 "popfq\n\t"
			 "call *%[function]\n\t"
			 "pushfq\n\t"
			 "andl %[mask], (%%rsp)\n\t"
			 "popfq\n\t"
			 "movb $0, %[begun]\n\t"
			 "mov %[sp], %%rsp\n\t"
			 : "=a"(ret), [cfa] "=m"(call.cfa), [begun] "=m"(call.begun), [sp] "=&b"(sp)
			 : [function] "r"(function), "D"(args[0]), "S"(args[1]), "d"(args[2]),
			   "c"(args[3]), [flag] "i"(TRAP_FLAG), [mask] "i"(~TRAP_FLAG)
			 : "r8", "r9", "r10", "r11", "memory", "cc");
	return ret;
}

/*
 * One gate or return is seen, and tells the result; or one gate, then a return that keeps its probe for other ways, and that tells the
 * same.
 */
static inline void check_call(any function, const char *name, const long *args, void **ret)
{
	*ret = traced_call(function, args);
	totals.by_gate += call.gates;
	totals.by_return += !call.gates;
	totals.by_both += call.gates && call.returns;
	if (call.gates + call.returns > 0 && call.gates <= 1 && call.returns <= 1 &&
	    !call.differs && call.seen == (uint64_t)*ret)
		return;
	if (!totals.wrong++)
		fprintf(stderr, "%s: %u gates, %u returns, %#lx for %p%s\n", name, call.gates,
			call.returns, (unsigned long)call.seen, *ret,
			call.differs ? ", differs" : "");
}

#endif
