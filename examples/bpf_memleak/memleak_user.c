/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memleak_user: the smallest complete program over libdwunw's public headers. Puts a uprobe on a function of a process
 * and prints every hit with its complete stack.
 *
 *   memleak_user PID [PATH [SYMBOL]]      by default malloc of the C library
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>
#include <dwunw/dwunw.h>

#include "memleak.h"
#include "memleak.skel.h"

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static void print_stack(const struct dwunw_stack *stack)
{
	for (size_t i = 0; i < stack->n_frames; i++)
		printf("  #%zu pc=0x%016llx\n", i, (unsigned long long)stack->frames[i].pc);
	if (stack->stop != DWUNW_STOP_ROOT)
		printf("  incomplete: %s\n", dwunw_stop_reason_text(stack->stop));
}

static int on_record(void *arg, void *data, size_t size)
{
	struct dwunw_bpf *dwunw = arg;
	const struct hit *hit = data;
	const struct dwunw_stack *stack;

	/* libdwunw's own records come before the hits that refer to them */
	if (dwunw_bpf_handle_event(dwunw, data, size) != 1)
		return 0;
	printf("[event] pid=%u comm=%s pc=0x%llx\n", hit->pid, hit->comm,
	       (unsigned long long)hit->pc);
	if (dwunw_bpf_find_stack(dwunw, hit->stack_id, &stack) == 0)
		print_stack(stack);
	return 0;
}

static int fail(const char *what, int err)
{
	fprintf(stderr, "memleak_user: %s: %s\n", what, strerror(-err));
	return EXIT_FAILURE;
}

static int trace(struct memleak_bpf *skel, struct dwunw_bpf *dwunw, pid_t pid, const char *path,
		 const char *symbol)
{
	LIBBPF_OPTS(bpf_uprobe_opts, opts, .func_name = symbol);
	struct ring_buffer *records;
	int err = dwunw_bpf_add_process(dwunw, pid);

	if (err)
		return fail("cannot read the process", err);
	skel->links.on_hit =
		bpf_program__attach_uprobe_opts(skel->progs.on_hit, pid, path, 0, &opts);
	if (!skel->links.on_hit)
		return fail("cannot attach the probe", -errno);
	records = ring_buffer__new(bpf_map__fd(skel->maps.dwunw_events), on_record, dwunw, NULL);
	if (!records)
		return fail("cannot read the ring buffer", -errno);
	while (!stopped && (err >= 0 || err == -EINTR))
		err = ring_buffer__poll(records, 200);
	ring_buffer__free(records);
	return stopped ? EXIT_SUCCESS : fail("ring buffer", err);
}

int main(int argc, char **argv)
{
	pid_t pid = argc > 1 ? (pid_t)strtol(argv[1], NULL, 10) : 0;
	const char *path = argc > 2 ? argv[2] : "libc.so.6";
	const char *symbol = argc > 3 ? argv[3] : "malloc";
	struct dwunw_context *context = NULL;
	struct dwunw_bpf *dwunw = NULL;
	struct memleak_bpf *skel;
	int err, status = EXIT_FAILURE;

	if (pid <= 0 || argc > 4) {
		fprintf(stderr, "usage: memleak_user PID [PATH [SYMBOL]]\n");
		return 64;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGINT, stop);
	signal(SIGTERM, stop);
	skel = memleak_bpf__open();
	if (!skel)
		return fail("cannot open the BPF object", -errno);
	err = dwunw_bpf_prepare(skel->obj, NULL);
	if (!err)
		err = memleak_bpf__load(skel);
	if (!err)
		err = dwunw_context_create(NULL, &context);
	if (!err)
		err = dwunw_bpf_create(context, skel->obj, &dwunw);
	if (!err)
		err = memleak_bpf__attach(skel); /* exec is followed from here on */
	status = err ? fail("cannot load", err) : trace(skel, dwunw, pid, path, symbol);
	dwunw_bpf_destroy(dwunw);
	dwunw_context_destroy(context);
	memleak_bpf__destroy(skel);
	return status;
}
