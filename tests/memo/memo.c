/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memo [-t SWITCHES] [-f FILE] [-s FUNCTION] [-d SECONDS] [-n EVENTS] PID
 *
 * Takes the stack at each call of FUNCTION (malloc) of FILE (libc.so.6) in the process, with DWUNW_MEMO_* SWITCHES (a number), until SIGINT,
 * the end of the process, SECONDS or EVENTS; then prints what became of them, and what one took inside the kernel: the smallest mean of
 * a fifth of a second.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <dwunw/bpf_format.h>
#include <dwunw/dwunw.h>

#include "bpf/internal.h"
#include "bpf/rodata.h"
#include "memo.skel.h"

#define INTERVAL 0.2	 /* seconds */
#define FEWEST_TIMED 100 /* events in an interval that is timed */

struct run {
	pid_t pid;
	uint32_t switches;
	const char *file, *function;
	double seconds;
	uint64_t events;
	struct memo_bpf *skel;
	struct dwunw_context *context;
	struct dwunw_bpf *dwunw;
	struct ring_buffer *records;
	struct bpf_link *on_exec, *on_hit;
	uint64_t timed_ns, timed; /* until the last interval */
	double best_ns;
};

static volatile sig_atomic_t stopped;
static void stop(int signal)
{
	stopped = signal;
}

static int on_record(void *arg, void *data, size_t size)
{
	dwunw_bpf_handle_event(arg, data, size);
	return 0;
}

static int start(struct run *run)
{
	LIBBPF_OPTS(bpf_uprobe_opts, opts, .func_name = run->function);
	int err;

	run->skel = memo_bpf__open();
	if (!run->skel)
		return -errno;
	err = dwunw_bpf_prepare(run->skel->obj, NULL);
	if (!err)
		err = rodata_set(run->skel->obj, "dwunw_memo_test", &run->switches,
				 sizeof(run->switches));
	if (!err)
		err = memo_bpf__load(run->skel);
	if (!err)
		err = dwunw_context_create(NULL, &run->context);
	if (!err)
		err = dwunw_bpf_create(run->context, run->skel->obj, &run->dwunw);
	if (!err)
		err = dwunw_bpf_add_process(run->dwunw, run->pid);
	if (err)
		return err;
	run->records = ring_buffer__new(bpf_map__fd(run->skel->maps.dwunw_events), on_record,
					run->dwunw, NULL);
	run->on_exec = bpf_program__attach(run->skel->progs.dwunw_on_exec);
	run->on_hit = bpf_program__attach_uprobe_opts(run->skel->progs.on_hit, run->pid, run->file,
						      0, &opts);
	return run->records && run->on_exec && run->on_hit ? 0 : -errno;
}

static uint64_t count(const struct run *run, unsigned int which)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < run->dwunw->n_slots; i++)
		sum += ((volatile const struct dwunw_slot *)run->dwunw->slots)[i].counts[which];
	return sum;
}

static uint64_t events(const struct run *run)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < DWUNW_COUNT_FULL_WALKS; i++)
		sum += count(run, i);
	return sum;
}

static void time_events(struct run *run)
{
	struct bpf_prog_info info = {0};
	__u32 size = sizeof(info);
	double ns;

	if (bpf_obj_get_info_by_fd(bpf_program__fd(run->skel->progs.on_hit), &info, &size))
		return;
	ns = (double)(info.run_time_ns - run->timed_ns) / (info.run_cnt - run->timed);
	if (info.run_cnt - run->timed >= FEWEST_TIMED && (!run->best_ns || ns < run->best_ns))
		run->best_ns = ns;
	run->timed_ns = info.run_time_ns;
	run->timed = info.run_cnt;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void wait_for_end(struct run *run)
{
	double end = now() + run->seconds, interval = now() + INTERVAL;

	while (!stopped && now() < end && kill(run->pid, 0) == 0 && events(run) < run->events) {
		ring_buffer__poll(run->records, (int)(INTERVAL * 1000));
		if (now() < interval)
			continue;
		time_events(run);
		interval = now() + INTERVAL;
	}
	ring_buffer__consume(run->records);
}

static void print(const struct run *run)
{
	printf("events %lu whole %lu rest %lu none %lu checked %lu wrong %lu no_memo %lu complete "
	       "%lu ns %.0f\n",
	       events(run), count(run, DWUNW_COUNT_MEMO_WHOLE), count(run, DWUNW_COUNT_MEMO_REST),
	       count(run, DWUNW_COUNT_MEMO_NONE), count(run, DWUNW_COUNT_MEMO_CHECKED),
	       count(run, DWUNW_COUNT_MEMO_WRONG), count(run, DWUNW_COUNT_NO_MEMO),
	       count(run, DWUNW_STOP_ROOT), run->best_ns);
}

int main(int argc, char **argv)
{
	struct run run = {
		.file = "libc.so.6", .function = "malloc", .seconds = 1e9, .events = ~0ULL};
	int option, err, timing;

	while ((option = getopt(argc, argv, "t:f:s:d:n:")) != -1) {
		switch (option) {
		case 't':
			run.switches = strtoul(optarg, NULL, 0);
			break;
		case 'f':
			run.file = optarg;
			break;
		case 's':
			run.function = optarg;
			break;
		case 'd':
			run.seconds = strtod(optarg, NULL);
			break;
		case 'n':
			run.events = strtoul(optarg, NULL, 0);
			break;
		default:
			return 2;
		}
	}
	run.pid = optind < argc ? atoi(argv[optind]) : 0;
	signal(SIGINT, stop);
	signal(SIGTERM, stop);
	err = start(&run);
	if (err) {
		fprintf(stderr, "memo: %s\n", strerror(-err));
		return 1;
	}
	timing = bpf_enable_stats(BPF_STATS_RUN_TIME);
	printf("ready\n");
	fflush(stdout);
	wait_for_end(&run);
	bpf_link__destroy(run.on_hit);
	print(&run);
	if (timing >= 0)
		close(timing);
	bpf_link__destroy(run.on_exec);
	ring_buffer__free(run.records);
	dwunw_bpf_destroy(run.dwunw);
	dwunw_context_destroy(run.context);
	memo_bpf__destroy(run.skel);
	return 0;
}
