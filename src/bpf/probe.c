/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/probe.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "bpf/probe_multi.h"

#define MAX_THREADS 64

struct detaching {
	const struct probe_links *links;
	atomic_size_t next;
};

static int add_link(struct probe_links *links, struct bpf_link *link)
{
	struct bpf_link **larger = reallocarray(links->links, links->n + 1, sizeof(*larger));

	if (!larger) {
		bpf_link__destroy(link);
		return -ENOMEM;
	}
	links->links = larger;
	links->links[links->n++] = link;
	return 0;
}

static int attach_multi(struct bpf_program *program, pid_t pid, const char *path,
			const struct probe *probes, size_t n, bool is_return,
			struct probe_links *links)
{
	LIBBPF_OPTS(bpf_uprobe_multi_opts, opts, .cnt = n, .retprobe = is_return);
	unsigned long *offsets = calloc(n, sizeof(*offsets));
	__u64 *cookies = calloc(n, sizeof(*cookies));
	struct bpf_link *link = NULL;
	int err = -ENOMEM;

	if (offsets && cookies) {
		for (size_t i = 0; i < n; i++) {
			offsets[i] = probes[i].offset;
			cookies[i] = probes[i].cookie;
		}
		opts.offsets = offsets;
		opts.cookies = cookies;
		link = bpf_program__attach_uprobe_multi(program, pid, path, NULL, &opts);
		err = link ? 0 : -errno;
	}
	free(offsets);
	free(cookies);
	return err ? err : add_link(links, link);
}

static int attach_perf(struct bpf_program *program, pid_t pid, const char *path,
		       const struct probe *probe, bool is_return, struct probe_links *links)
{
	LIBBPF_OPTS(bpf_uprobe_opts, opts, .bpf_cookie = probe->cookie, .retprobe = is_return);
	struct bpf_link *link;

	link = bpf_program__attach_uprobe_opts(program, pid, path, probe->offset, &opts);
	return link ? add_link(links, link) : -errno;
}

static void drop_links(struct probe_links *links, size_t keep)
{
	while (links->n > keep)
		bpf_link__destroy(links->links[--links->n]);
}

int probe_prepare(struct bpf_object *object)
{
	struct bpf_program *program;
	int err = 0;

	if (probe_multi_works())
		return 0;
	bpf_object__for_each_program(program, object)
	{
		if (bpf_program__expected_attach_type(program) == BPF_TRACE_UPROBE_MULTI && !err)
			err = bpf_program__set_expected_attach_type(program, 0);
	}
	return err;
}

int probe_attach(struct bpf_program *program, pid_t pid, const char *path,
		 const struct probe *probes, size_t n, bool is_return, struct probe_links *links)
{
	size_t before = links->n;

	if (bpf_program__expected_attach_type(program) == BPF_TRACE_UPROBE_MULTI)
		return attach_multi(program, pid, path, probes, n, is_return, links);
	for (size_t i = 0; i < n; i++) {
		int err = attach_perf(program, pid, path, &probes[i], is_return, links);

		if (err) {
			drop_links(links, before);
			return err;
		}
	}
	return 0;
}

void probe_detach(struct probe_links *links)
{
	drop_links(links, 0);
	free(links->links);
	links->links = NULL;
}

void probe_links_move(struct probe_links *from, struct probe_links *to)
{
	struct bpf_link **larger = NULL;

	if (from->n)
		larger = reallocarray(to->links, to->n + from->n, sizeof(*larger));
	if (larger) {
		memcpy(larger + to->n, from->links, from->n * sizeof(*larger));
		to->links = larger;
		to->n += from->n;
		from->n = 0;
	}
	probe_detach(from);
}

static void *detach_some(void *arg)
{
	struct detaching *detaching = arg;
	size_t i;

	while ((i = atomic_fetch_add(&detaching->next, 1)) < detaching->links->n)
		bpf_link__destroy(detaching->links->links[i]);
	return NULL;
}

void probe_detach_together(struct probe_links *links)
{
	struct detaching detaching = {.links = links};
	pthread_t threads[MAX_THREADS];
	size_t n = 0;

	while (n < MAX_THREADS && n + 1 < links->n &&
	       pthread_create(&threads[n], NULL, detach_some, &detaching) == 0)
		n++;
	detach_some(&detaching);
	while (n)
		pthread_join(threads[--n], NULL);
	links->n = 0;
	probe_detach(links);
}
