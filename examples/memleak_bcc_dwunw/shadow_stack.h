/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SHADOW_STACK_H
#define SHADOW_STACK_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Whether return probes would kill the process: it runs with a user shadow stack (CET; the kernel says so in /proc/PID/status),
 * and the kernel is older than 6.11, which was the first to keep shadow stack and uretprobes in step
 * (commit 488af8ea7131).
 */
bool shadow_stack_forbids_return_probes(pid_t pid);

/* The parts of it, for tests: `status` as in /proc/PID/status, `release` as uname -r prints it. */
bool shadow_stack_in_use(const char *status);
bool shadow_stack_is_supported(const char *release);

#endif
