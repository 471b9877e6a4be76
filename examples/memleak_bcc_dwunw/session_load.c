/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "bpf/pid_namespace.h"
#include "memleak_dwunw.skel.h"
#include "message.h"
#include "privileges.h"
#include "recent.h"
#include "session_internal.h"

static bool show_libbpf;

static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	if (!show_libbpf || level == LIBBPF_DEBUG)
		return 0;
	if (!message_is_held())
		return vfprintf(stderr, format, args);
	message_list(format, args);
	return 0;
}

/* dwunw-added begin: --dwunw-mode=off makes no map and loads no program of libdwunw's */
static void leave_dwunw_out(struct bpf_object *object)
{
	struct bpf_program *program;
	struct bpf_map *map;

	bpf_object__for_each_map(map, object)
	{
		if (strncmp(bpf_map__name(map), "dwunw_", 6) == 0)
			bpf_map__set_autocreate(map, false);
	}
	bpf_object__for_each_program(program, object)
	{
		if (strncmp(bpf_program__name(program), "dwunw_", 6) == 0)
			bpf_program__set_autoload(program, false);
	}
}
/* dwunw-added end */

void session_show_libbpf(bool show)
{
	show_libbpf = show;
	libbpf_set_print(print_libbpf);
}

unsigned int session_max_depth(unsigned int wanted)
{
	FILE *file = fopen("/proc/sys/kernel/perf_event_max_stack", "re");
	unsigned int most = 127;

	if (file) {
		if (fscanf(file, "%u", &most) != 1)
			most = 127;
		fclose(file);
	}
	if (wanted > most)
		message("--perf-max-stack-depth: %u frames at most in this mode, by "
			"kernel.perf_event_max_stack",
			most);
	return wanted < most ? wanted : most;
}

static int configure(struct session *session)
{
	uint64_t pidns_dev, pidns_ino;
	struct options *options = &session->options;
	struct memleak_dwunw_bpf *skel = session->skel;
	int err;

	skel->rodata->min_size = options->min_size;
	skel->rodata->max_size = options->max_size;
	skel->rodata->measure_load = options->max_overhead > 0;
	skel->rodata->sampling_mode = session->sampling.mode;
	skel->bss->sampling_setting =
		sampling_setting(&session->sampling, (struct sampling_step){0});
	skel->rodata->no_stacks = getenv("MEMLEAK_NO_STACKS") != NULL; /* bench/README.md */
	skel->rodata->follow_forks = options->follow_forks;
	skel->rodata->exact_times = options->follow_forks || options->max_overhead > 0;
	skel->rodata->trace_all = options->trace;
	skel->rodata->combined_only = options->combined_only;
	bpf_map__set_autocreate(skel->maps.memleak_trace, options->trace);
	bpf_map__set_autocreate(skel->maps.combined, options->combined_only);
	bpf_map__set_max_entries(skel->maps.combined, options->stack_storage_size);
	own_pid_namespace(&pidns_dev, &pidns_ino);
	skel->rodata->pidns_ino = pidns_ino;
	bpf_program__set_autoload(skel->progs.memleak_fork, options->follow_forks);
	/* session_allocators.c: at_returns */
	bpf_program__set_autoload(skel->progs.memleak_gate, options->mode != OPTIONS_MODE_OFF);
	skel->rodata->use_recent = options->max_blocks > 2 * RECENT_PLACES;
	bpf_map__set_autocreate(skel->maps.recent_blocks, skel->rodata->use_recent);
	err = bpf_map__set_max_entries(skel->maps.blocks, options->max_blocks);
	if (err)
		return err;
	/* dwunw-added begin */
	if (options->mode != OPTIONS_MODE_OFF) {
		const struct dwunw_bpf_opts opts = {
			.size = sizeof(opts),
			.max_depth = options->max_stack_depth,
			.max_stacks = options->stack_storage_size,
			.details = options->verbose,
			.guess = options->mode == OPTIONS_MODE_FALLBACK,
			.walk_in_user_space = options->walk_in_user_space,
			.slice_size = options->slice_kib * 1024,
			.ship_percent = options->share_percent,
		};

		skel->rodata->use_dwunw = true;
		bpf_map__set_autocreate(skel->maps.stack_traces, false);
		return dwunw_bpf_prepare(skel->obj, &opts);
	}
	skel->rodata->dwunw_walk_in_user = true;
	leave_dwunw_out(skel->obj);
	/* dwunw-added end */
	options->max_stack_depth = session_max_depth(options->max_stack_depth);
	bpf_map__set_value_size(skel->maps.stack_traces, options->max_stack_depth * sizeof(__u64));
	return bpf_map__set_max_entries(skel->maps.stack_traces, options->stack_storage_size);
}

static void explain(int err, bool verbose)
{
	const char *feature = NULL;
	char missing[PRIVILEGES_TEXT];

	privileges_missing_for_bpf(missing, sizeof(missing));
	if (missing[0]) {
		message("not permitted to load BPF programs: missing %s", missing);
		return;
	}
	feature = dwunw_bpf_missing_feature(); /* dwunw-added */
	if (feature)
		message("this kernel lacks %s, which the probes need", feature);
	else
		message("the kernel refused the BPF programs: %s%s", strerror(-err),
			verbose ? "" : " (-v shows what it says)");
}

int session_load(struct session *session)
{
	int err;

	session_show_libbpf(session->options.verbose);
	session->skel = memleak_dwunw_bpf__open();
	if (!session->skel) {
		message("cannot open the BPF object: %s", strerror(errno));
		return -errno;
	}
	err = probe_prepare(session->skel->obj);
	if (!err)
		err = configure(session);
	if (!err)
		err = memleak_dwunw_bpf__load(session->skel);
	/* dwunw-added begin */
	if (!err && bpf_program__autoload(session->skel->progs.dwunw_on_exec))
		session->skel->links.dwunw_on_exec =
			bpf_program__attach(session->skel->progs.dwunw_on_exec);
	/* dwunw-added end */
	if (!err && session->skel->rodata->use_recent)
		err = recent_map(bpf_map__fd(session->skel->maps.recent_blocks), &session->recent);
	if (!err) {
		session->skel->links.memleak_exec =
			bpf_program__attach(session->skel->progs.memleak_exec);
		err = session->skel->links.memleak_exec ? 0 : -errno;
	}
	if (err)
		explain(err, session->options.verbose);
	return err;
}
