/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel mode: the kernel's own allocations, by its tracepoints. The session runs it as it runs user mode. */
#ifndef SESSION_KERNEL_H
#define SESSION_KERNEL_H

struct collect_source;
struct kernel;
struct options;
struct sampling;

/* `sampling` must live as long as the kernel. Loads and attaches; 0 or, the reason printed, a negative errno. Corrects what the kernel bounds in `options`. */
int kernel_start(struct options *options, const struct sampling *sampling, struct kernel **ret);
/* NULL is allowed. */
void kernel_destroy(struct kernel *kernel);

/* What a report is made from; valid until the next call, or kernel_destroy(). */
void kernel_describe(struct kernel *kernel, struct collect_source *ret);

/* -t: the ring buffer of calls. */
int kernel_trace_fd(const struct kernel *kernel);

/* Says what was not seen or not kept since the last time. */
void kernel_tell_counts(struct kernel *kernel);

#endif
