/* SPDX-License-Identifier: BSD-2-Clause */
#include "session_live_facts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "growth.h"
#include "output/view.h"
#include "session_internal.h"
#include "tui/model.h"

#define WINDOW_MS 60000				  /* of growth */
#define KEEP_MS (WINDOW_MS / (LIVE_MAX_KEPT - 1)) /* between two that are kept */

static void drop_oldest(struct live_facts *facts)
{
	growth_free(facts->kept[0].growth);
	facts->n_kept--;
	memmove(facts->kept, facts->kept + 1, facts->n_kept * sizeof(facts->kept[0]));
}

void live_facts_free(struct live_facts *facts)
{
	while (facts->n_kept)
		drop_oldest(facts);
}

static int keep_totals(struct live_facts *facts, const struct report_snapshot *snapshot,
		       const struct report_groups *groups, int64_t now_ms)
{
	size_t n = facts->n_kept;
	int err;

	if (n && now_ms - facts->kept[n - 1].at_ms < KEEP_MS)
		return 0;
	if (n == LIVE_MAX_KEPT)
		drop_oldest(facts);
	n = facts->n_kept;
	err = growth_create(snapshot, groups, &facts->kept[n].growth);
	if (err)
		return err;
	facts->kept[n].at_ms = now_ms;
	facts->n_kept++;
	return 0;
}

/* "Slab: 123 kB" of /proc/meminfo. */
static uint64_t slab_bytes(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	uint64_t kib = 0;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "Slab: %" SCNu64, &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib * 1024;
}

/* proc_pid_statm(5): the second number, in pages. */
static uint64_t resident_bytes(pid_t pid)
{
	uint64_t pages = 0;
	char path[32];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%*u %" SCNu64, &pages) != 1)
		pages = 0;
	fclose(file);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void find_memory(const struct session *session, struct tui_facts *ret)
{
	ret->memory_label = session->kernel ? "slab" : "RSS";
	ret->memory = session->kernel ? slab_bytes() : 0;
	for (unsigned int i = 0; i < session->n_targets; i++)
		if (session->targets[i].pid)
			ret->memory += resident_bytes(session->targets[i].pid);
}

/* What the kernel side counts anyway: all calls with --max-overhead, else walks, one for each call that is recorded; NULL: nothing. */
static const char *count_events(const struct session *session, uint64_t *ret)
{
	uint64_t n = 0; /* dwunw-added */

	if (session->options.max_overhead) {
		*ret = session->leash.sum.n;
		return "calls";
	}
	/* dwunw-added begin */
	if (session->dwunw) {
		for (size_t stop = 0; stop < DWUNW_N_STOP_REASONS; stop++)
			if (stop != DWUNW_STOP_RATE &&
			    stop != DWUNW_STOP_DROPPED) /* counted besides */
				n += session->told_stats.stops[stop];
		*ret = n;
		return "recorded";
	}
	/* dwunw-added end */
	return NULL;
}

static void find_rate(const struct session *session, struct live_facts *facts, int64_t now_ms,
		      struct tui_facts *ret)
{
	uint64_t events = 0;
	const char *label = count_events(session, &events);
	int64_t passed_ms = now_ms - facts->events_ms;

	ret->rate_label = NULL;
	if (label && facts->events_ms && passed_ms > 0 && events >= facts->events) {
		ret->rate_label = label;
		ret->rate = (double)(events - facts->events) * 1000 / (double)passed_ms;
	}
	facts->events = events;
	facts->events_ms = now_ms;
}

int live_facts_update(struct session *session, struct live_facts *facts,
		      const struct report_snapshot *snapshot, const struct report_groups *groups,
		      struct tui_facts *ret)
{
	int64_t now_ms = monotonic_ms();

	ret->growth_s = facts->n_kept ? (double)(now_ms - facts->kept[0].at_ms) / 1000 : 0;
	ret->overhead = session->leash.decided ? session->leash.expected : -1;
	find_memory(session, ret);
	find_rate(session, facts, now_ms, ret);
	return keep_totals(facts, snapshot, groups, now_ms);
}

void live_name_file(const struct session *session, const struct view *view, char *ret, size_t size)
{
	char when[32], who[16] = "kernel";
	struct tm tm;

	localtime_r(&view->when.tv_sec, &tm);
	strftime(when, sizeof(when), "%Y%m%d-%H%M%S", &tm);
	if (!session->kernel)
		snprintf(who, sizeof(who), "%u", view->n_processes ? view->processes[0].pid : 0);
	snprintf(ret, size, "memleak-%s-%s.json", who, when);
}

void live_tell_written(const struct session *session, const char *path, char *ret, size_t size)
{
	size_t used = (size_t)snprintf(ret, size, "written: %s", path ? path : "");

	for (unsigned int i = 0; i < session->options.n_outputs && used < size; i++)
		used += (size_t)snprintf(ret + used, size - used, "%s%s", i ? ", " : "",
					 session->options.outputs[i]);
}
