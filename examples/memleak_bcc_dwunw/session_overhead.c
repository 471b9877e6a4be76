/* SPDX-License-Identifier: BSD-2-Clause */
#include "session_overhead.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "calibrate.h"
#include "clock.h"
#include "load_format.h"
#include "memleak_dwunw.skel.h"
#include "message.h"
#include "session_internal.h"

#define FIRST_LOOK_MS 200
#define LOOK_MS 1000
#define FINER_LOOKS 3 /* in a row that find too little done, before less is */

static bool is_stepped(const struct session *session, unsigned int function)
{
	for (unsigned int i = 0; i < session->n_targets; i++) {
		const struct allocators *allocators = &session->targets[i].allocators;

		for (size_t j = 0; j < allocators->n; j++) {
			const struct allocator *allocator = &allocators->list[j];

			for (size_t k = 0; k < allocator->n_probes; k++)
				if ((unsigned int)allocator->probes[k].cookie == function &&
				    !allocator->places[k].emulated)
					return true;
		}
	}
	return false;
}

static void add_load(const struct session *session, const struct memleak_load *load,
		     struct leash_sum *sum)
{
	const struct overhead_costs *costs = &session->leash.costs;

	for (unsigned int function = 0; function < MEMLEAK_N_FUNCTIONS; function++) {
		double cost = function == MEMLEAK_FREE ? costs->free : costs->call;

		if (!load->calls[function])
			continue;
		if (is_stepped(session, function))
			cost += costs->stepped;
		cost *= (double)load->calls[function];
		*(memleak_only_allocates(function) ? &sum->calls : &sum->steady) += cost;
		sum->n += load->calls[function];
	}
	sum->work += (double)load->work_ns;
}

static int read_load(const struct session *session, struct leash_sum *ret)
{
	int fd = bpf_map__fd(session->skel->maps.memleak_load), n = libbpf_num_possible_cpus();
	struct memleak_load *loads = n > 0 ? calloc((size_t)n, sizeof(*loads)) : NULL;
	struct leash_sum sum = {0};
	__u32 zero = 0;
	int err = loads ? bpf_map_lookup_elem(fd, &zero, loads) : -ENOMEM;

	for (int i = 0; i < n && !err; i++)
		add_load(session, &loads[i], &sum);
	free(loads);
	if (!err)
		*ret = sum;
	return err;
}

int leash_start(struct session *session)
{
	struct memleak_dwunw_bpf *skel = session->skel;
	struct leash *leash = &session->leash;
	/* a target's number that is the last to be given out */
	const unsigned int number = MEMLEAK_MAX_TARGETS - 1;
	int err;

	if (!session->options.max_overhead)
		return 0;
	skel->bss->sampling_setting = 0;
	err = calibrate(
		skel->progs.memleak_enter, skel->progs.memleak_exit, skel->progs.memleak_free,
		(unsigned long long)number << MEMLEAK_COOKIE_SHIFT | MEMLEAK_MALLOC, &leash->costs);
	if (err) {
		message("--max-overhead: cannot measure what a probe costs: %s", strerror(-err));
		return err;
	}
	skel->bss->target_tgids[number] = 0;
	skel->bss->sampling_setting = sampling_setting(&session->sampling, leash->plan.step);
	if (session->options.verbose)
		message("--max-overhead: an allocation costs %.0f ns, a free %.0f ns, "
			"single-stepped "
			"%.0f ns more",
			leash->costs.call, leash->costs.free, leash->costs.stepped);
	leash->away_ratio = 1;
	leash->there_ns = leash->recorded_ns = monotonic_ns();
	leash->due_ms = monotonic_ms() + FIRST_LOOK_MS;
	return read_load(session, &leash->sum);
}

int64_t leash_due_ms(const struct session *session)
{
	return session->options.max_overhead ? session->leash.due_ms : INT64_MAX;
}

static void tell_plan(const struct session *session, const struct overhead_load *load,
		      struct overhead_plan old, double calls_a_second)
{
	const struct overhead_plan *plan = &session->leash.plan;
	double interval =
		(double)(sampling_setting(&session->sampling, plan->step) & SAMPLING_INTERVAL_MASK);
	char often[80] = "", what[80] = "every allocation is recorded";

	if (interval > 1)
		snprintf(what, sizeof(what), "one allocation in %.0f%s is recorded", interval,
			 session->sampling.mode == SAMPLING_BYTES ? " bytes" : "");
	if (plan->step.rarer)
		snprintf(often, sizeof(often), " in %.1f%% of the time, %s",
			 100 * sampling_duty(plan->step.rarer),
			 plan->frees_go ? "frees are seen only then" : "frees are always seen");
	message("--max-overhead: %.0f calls a second at %.1f%% of a CPU; from now on %s%s, at "
		"%.1f%%; "
		"totals are estimates%s",
		calls_a_second, 100 * overhead_expected(load, old, old), what, often,
		100 * overhead_expected(load, old, *plan),
		plan->step.rarer ? ", and right for a process that allocates evenly" : "");
}

static void leave(struct session *session)
{
	struct leash *leash = &session->leash;

	session->skel->bss->sampling_setting = 0;
	leash->away = true;
	leash->frees_away = leash->plan.frees_go;
	if (leash->frees_away) {
		session->skel->bss->frees_unseen = true;
		leash->unseen_since = time(NULL);
	}
	for (unsigned int i = 0; i < session->n_targets; i++) {
		struct target *target = &session->targets[i];

		probe_detach(&target->call_links);
		if (leash->frees_away)
			probe_detach(&target->free_links);
	}
}

static void attach_again(const struct session *session, struct target *target)
{
	int err = target_attach_again(session, target);

	if (err && kill(target->pid, 0) == 0) /* else it has just ended */
		message_once("--max-overhead: cannot attach to process %d again: %s", target->pid,
			     strerror(-err));
}

static void come_back(struct session *session)
{
	struct leash *leash = &session->leash;

	session->skel->bss->probes_period++;
	for (unsigned int i = 0; i < session->n_targets; i++)
		if (session->targets[i].pid && !session->targets[i].ended)
			attach_again(session, &session->targets[i]);
	if (leash->frees_away) {
		leash->verified_since_ns = monotonic_ns();
		leash->verified_since = time(NULL);
	}
	leash->away = false;
	leash->frees_away = false;
	session->skel->bss->sampling_setting =
		sampling_setting(&session->sampling, leash->plan.step);
}

/* Decides by what happened since the probes came, or the last look. */
static void decide(struct session *session, const struct leash_sum *sum, uint64_t now_ns)
{
	struct leash *leash = &session->leash;
	/* found to be too little twice: a program that is held up less may call more often */
	unsigned int more = leash->raises < 2 ? leash->raises : 2;
	double limit = session->options.max_overhead / 100.0 / (1 << more);
	double recorded = (double)(now_ns - leash->recorded_ns);
	const struct overhead_load load = {
		.calls = (sum->calls - leash->sum.calls + leash->leaving) / recorded,
		.steady = (sum->steady - leash->sum.steady) / recorded,
		.work = (sum->work - leash->sum.work) / recorded,
		.away_ratio = leash->away_ratio,
	};
	struct overhead_plan old = leash->plan;
	struct overhead_plan next = overhead_decide(&load, limit, old);

	leash->steady = load.steady;
	leash->decided = true;
	leash->expected = overhead_expected(&load, old, old);
	leash->finer_looks = overhead_only_finer(next, old) ? leash->finer_looks + 1 : 0;
	leash->raises = overhead_equal(next, old) || leash->finer_looks ? 0 : leash->raises + 1;
	if (overhead_equal(next, old) || (leash->finer_looks && leash->finer_looks < FINER_LOOKS))
		return;
	leash->plan = next;
	leash->expected = overhead_expected(&load, old, next);
	leash->finer_looks = 0;
	leash->estimates = true;
	session->skel->bss->sampling_setting =
		sampling_setting(&session->sampling, leash->plan.step);
	tell_plan(session, &load, old, (double)(sum->n - leash->sum.n) * 1e9 / recorded);
}

/* A look at the probes that are there: perhaps they go. */
static void look_there(struct session *session, const struct leash_sum *sum)
{
	struct leash *leash = &session->leash;
	uint64_t now_ns = monotonic_ns(), gone_ns;
	struct leash_sum gone = *sum;

	decide(session, sum, now_ns);
	leash->sum = *sum;
	if (!leash->plan.step.rarer) {
		leash->there_ns = leash->recorded_ns = now_ns;
		leash->leaving = leash->owed_ns = 0;
		return;
	}
	leave(session);
	gone_ns = monotonic_ns();
	read_load(session, &gone);
	leash->leaving = gone.calls + gone.steady - sum->calls - sum->steady;
	leash->owed_ns += overhead_owed_ns(now_ns - leash->recorded_ns, gone_ns - leash->there_ns,
					   leash->plan.step.rarer);
	leash->due_ms = monotonic_ms() +
			(int64_t)(overhead_away_ns(leash->owed_ns, (uint32_t)mrand48()) / 1000000);
	leash->there_ns = gone_ns;
	leash->sum = gone;
}

/* The time without probes is over. */
static void look_away(struct session *session, const struct leash_sum *sum)
{
	struct leash *leash = &session->leash;
	uint64_t now_ns = monotonic_ns();
	double away = (double)(now_ns - leash->there_ns);

	leash->owed_ns -= away;
	if (!leash->frees_away && leash->steady > 0 && away > 0)
		leash->away_ratio =
			fmax(1, (sum->steady - leash->sum.steady) / away / leash->steady);
	leash->sum = *sum;
	leash->there_ns = now_ns;
	come_back(session);
	leash->recorded_ns = monotonic_ns();
	leash->due_ms = monotonic_ms() + LOOK_MS;
}

void leash_look(struct session *session)
{
	struct leash *leash = &session->leash;
	struct leash_sum sum;

	if (monotonic_ms() < leash_due_ms(session))
		return;
	leash->due_ms = monotonic_ms() + LOOK_MS;
	if (read_load(session, &sum))
		return;
	if (leash->away)
		look_away(session, &sum);
	else
		look_there(session, &sum);
}

static const char *clock_text(time_t when, char *text, size_t size)
{
	struct tm tm;

	localtime_r(&when, &tm);
	snprintf(text, size, "%d:%d:%d", tm.tm_hour, tm.tm_min, tm.tm_sec);
	return text;
}

void leash_print_doubts(FILE *out, const struct session *session)
{
	const struct leash *leash = &session->leash;
	char text[40];

	if (leash->frees_away)
		fprintf(out, "[memleak] frees are not seen since %s: blocks above may be freed\n",
			clock_text(leash->unseen_since, text, sizeof(text)));
	if (leash->doubtful_blocks)
		fprintf(out,
			"[memleak] %" PRIu64 " bytes in %" PRIu64
			" allocations not verified since %s, and not shown\n",
			leash->doubtful_bytes, leash->doubtful_blocks,
			clock_text(leash->verified_since, text, sizeof(text)));
}

void leash_tell_doubts(const struct session *session)
{
	char *text = NULL, *rest = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return;
	leash_print_doubts(out, session);
	if (fclose(out) == 0)
		for (char *line = strtok_r(text, "\n", &rest); line;
		     line = strtok_r(NULL, "\n", &rest))
			message("%s", line);
	free(text);
}
