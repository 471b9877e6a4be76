/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves, with a ptrace() of its own that stands for the kernel's register set NT_ARM_PAC_MASK: of struct user_pac_mask the second word,
 * the mask of instruction addresses, is taken; without such a set, with a short one, and on other architectures none. In `make
 * test-arch` for aarch64 itself; that the walk goes by the mask is shown there by tests/arch/live_test.c.
 */
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include "../test.h"
#include "arch/arch.h"
#include "unwind/stop_thread.h"

#define DATA_MASK 0x11000000000000
#define INSN_MASK 0x7f000000000000

static struct {
	int err;
	size_t size;
	unsigned int calls;
} kernel;

/* In place of the C library's. */
long ptrace(enum __ptrace_request request, ...)
{
	static const uint64_t masks[2] = {DATA_MASK, INSN_MASK};
	struct iovec *set;
	uintptr_t number;
	va_list args;
	pid_t tid;

	va_start(args, request);
	tid = va_arg(args, pid_t);
	number = (uintptr_t)va_arg(args, void *);
	set = va_arg(args, struct iovec *);
	va_end(args);
	kernel.calls++;
	CHECK(request == PTRACE_GETREGSET && tid == 77 && number == 0x406);
	CHECK(set->iov_len == sizeof(masks));
	if (kernel.err) {
		errno = kernel.err;
		return -1;
	}
	set->iov_len = kernel.size;
	for (size_t i = 0; i < kernel.size / 8; i++)
		((uint64_t *)set->iov_base)[i] = masks[i];
	return 0;
}

int main(void)
{
	const struct arch *aarch64 = arch_find(EM_AARCH64, ELFCLASS64, ELFDATA2LSB);
	struct stopped_thread thread = {.tid = 77};

	kernel.size = 16;
	CHECK(thread_ra_mask_of(aarch64, 77) == INSN_MASK && kernel.calls == 1);
	kernel.size = 8; /* not this set */
	CHECK(thread_ra_mask_of(aarch64, 77) == 0);
	kernel.err = EINVAL; /* what the kernel says for a set that the machine does not have */
	CHECK(thread_ra_mask_of(aarch64, 77) == 0);
	kernel.err = 0;
	kernel.size = 16;
	kernel.calls = 0;
	CHECK(thread_ra_mask_of(arch_find(EM_X86_64, ELFCLASS64, ELFDATA2LSB), 77) == 0);
	CHECK(thread_ra_mask_of(arch_find(EM_RISCV, ELFCLASS64, ELFDATA2LSB), 77) == 0);
	CHECK(thread_ra_mask_of(arch_find(EM_MIPS, ELFCLASS32, ELFDATA2MSB), 77) == 0);
	CHECK(kernel.calls == 0);
	CHECK(thread_ra_mask(&thread) == (arch_native() == aarch64 ? INSN_MASK : 0));
	return test_end();
}
