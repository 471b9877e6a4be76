/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Holding one thread still by ptrace(2): PTRACE_SEIZE and PTRACE_INTERRUPT, which the thread does not notice, unlike a SIGSTOP.
 *
 * All of it happens in one thread of the caller's. Should that thread end, the kernel resumes the target.
 */
#ifndef UNWIND_STOP_THREAD_H
#define UNWIND_STOP_THREAD_H

#include <stdint.h>
#include <sys/types.h>

struct arch;
struct dwunw_registers;

struct stopped_thread {
	pid_t tid;
	int signal; /* that was about to be delivered; 0: none */
};

/*
 * -ESRCH: gone; -EPERM: not permitted; -EBUSY: traced by somebody else; -ETIMEDOUT: it does not stop. It then stays
 * attached until this thread of the caller's ends.
 */
int thread_stop(pid_t pid, pid_t tid, struct stopped_thread *ret);

/* -ENOTSUP: it runs code of another architecture. */
int thread_registers(const struct stopped_thread *thread, struct dwunw_registers *ret);

/* As unwind_snapshot.ra_mask; 0 where the kernel or the machine has none. */
uint64_t thread_ra_mask(const struct stopped_thread *thread);

/* For any architecture, of which there is one here. */
uint64_t thread_ra_mask_of(const struct arch *arch, pid_t tid);

void thread_resume(const struct stopped_thread *thread);

#endif
