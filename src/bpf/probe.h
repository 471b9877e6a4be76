/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attaching user probes: by uprobe_multi where the kernel has it and it works (it needs CAP_BPF and CAP_PERFMON only), else by
 * perf events (CAP_SYS_ADMIN). A process id limits a probe to that process; never perf's `inherit`, under
 * which the target's fork() fails.
 */
#ifndef BPF_PROBE_H
#define BPF_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct bpf_link;
struct bpf_object;
struct bpf_program;

struct probe {
	unsigned long offset; /* in the file, bytes */
	unsigned long long cookie;
};

struct probe_links {
	struct bpf_link **links;
	size_t n;
};

/*
 * Between opening and loading: decides how the object's SEC("uprobe.multi") programs will be attached. (The kind of attachment is
 * part of a program: it decides where bpf_get_attach_cookie() looks.)
 */
int probe_prepare(struct bpf_object *object);

/*
 * Attaches `program` at every probe of the file at `path`, as return probes if `is_return`; the links are added to `links`, which
 * probe_detach() frees. On failure those added by this call are gone again.
 */
int probe_attach(struct bpf_program *program, pid_t pid, const char *path,
		 const struct probe *probes, size_t n, bool is_return, struct probe_links *links);
void probe_detach(struct probe_links *links);

/* Moves the links of `from` to `to`; where there is no memory for that, detaches them. */
void probe_links_move(struct probe_links *from, struct probe_links *to);

/*
 * As probe_detach(), but in no order. The kernel lets the end of each link wait until no program of it can run, some 50 ms: here they wait
 * together, however many there are.
 */
void probe_detach_together(struct probe_links *links);

#endif
