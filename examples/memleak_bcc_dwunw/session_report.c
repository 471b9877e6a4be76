/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <bpf/libbpf.h>

#include "clock.h"
#include "growth.h"
#include "memleak_dwunw.skel.h"
#include "message.h"
#include "output/view.h"
#include "progress.h"
#include "reader.h"
#include "session_internal.h"
#include "session_kernel.h"
#include "session_live.h"
#include "symbolize/naming.h"

static void tell_counts(struct session *session)
{
	static const char *const texts[] = {
#define MEMLEAK_COUNT_TEXT(name, text) text,
		MEMLEAK_COUNTS(MEMLEAK_COUNT_TEXT)
#undef MEMLEAK_COUNT_TEXT
	};

	for (size_t i = 0; i < MEMLEAK_N_COUNTS; i++) {
		uint64_t n = session->skel->bss->counts[i];

		if (n != session->told_counts[i])
			message("%" PRIu64 " %s", n, texts[i]);
		session->told_counts[i] = n;
	}
}

/* dwunw-added begin: with -v, all walks since the start by how they ended */
static void tell_walks(const struct dwunw_bpf_stats *stats)
{
	uint64_t complete = stats->stops[DWUNW_STOP_ROOT], incomplete = 0;

	for (unsigned int stop = 0; stop < DWUNW_N_STOP_REASONS; stop++) {
		/* those two are counted besides the reason why the walk ended */
		if (stop != DWUNW_STOP_ROOT && stop != DWUNW_STOP_RATE &&
		    stop != DWUNW_STOP_DROPPED)
			incomplete += stats->stops[stop];
	}
	message("[dwunw] walks: %" PRIu64 " complete, %" PRIu64 " by frame pointer, %" PRIu64
		" finished in user space, %" PRIu64 " incomplete, %" PRIu64
		" with all registers, %" PRIu64 " partly known",
		complete, stats->fp_stacks, stats->finished, incomplete - stats->finished,
		stats->full_walks, stats->known);
}

/* Appends to `line` as far as it fits. */
__attribute__((format(printf, 3, 4))) static void append(char *line, size_t size,
							 const char *format, ...)
{
	size_t used = strlen(line);
	va_list args;

	va_start(args, format);
	vsnprintf(line + used, size - used, format, args);
	va_end(args);
}

/* All stacks since the start by how they ended, if since the last report one was not complete in the kernel. */
static void tell_stacks(const struct dwunw_bpf_stats *now, const struct dwunw_bpf_stats *told)
{
	uint64_t cut_short = 0;
	char line[1024] = "";

	if (now->finished == told->finished && now->fp_stacks == told->fp_stacks &&
	    memcmp(now->cut_short, told->cut_short, sizeof(now->cut_short)) == 0)
		return;
	for (unsigned int stop = 0; stop < DWUNW_N_STOP_REASONS; stop++) {
		cut_short += now->cut_short[stop];
		if (now->cut_short[stop])
			append(line, sizeof(line), "%s%" PRIu64 " %s", line[0] ? ", " : ": ",
			       now->cut_short[stop], dwunw_stop_reason_text(stop));
	}
	message("[dwunw] stacks: %" PRIu64 " complete (%" PRIu64 " finished in user space, %" PRIu64
		" by frame pointer), %" PRIu64 " cut short%s",
		now->stops[DWUNW_STOP_ROOT] + now->finished, now->finished, now->fp_stacks,
		cut_short, line);
}

/* what did not go as it should since the last report, one line each on stderr */
static void tell_stats(struct session *session)
{
	struct dwunw_bpf_stats now, *told = &session->told_stats;

	dwunw_bpf_get_stats(session->dwunw, &now);
	tell_stacks(&now, told);
	if (now.untold != told->untold)
		message("[dwunw] %" PRIu64 " stack records delayed: ring buffer full", now.untold);
	if (now.stacks_full != told->stacks_full)
		message("[dwunw] %" PRIu64 " stacks past --stack-storage-size: slower, not lost",
			now.stacks_full);
	if (now.no_memo != told->no_memo)
		message("[dwunw] %" PRIu64
			" stacks walked whole: their threads' last ones could not be remembered",
			now.no_memo);
	if (now.unannounced != told->unannounced)
		message("[dwunw] %" PRIu64 " changes of mappings heard of late: ring buffer full",
			now.unannounced);
	/* they matter to stacks through code that nobody knows now */
	if (now.records_lost != told->records_lost &&
	    now.cut_short[DWUNW_STOP_NO_MAPPING] != told->cut_short[DWUNW_STOP_NO_MAPPING])
		message("[dwunw] %" PRIu64
			" records of new mappings lost: too many on this machine",
			now.records_lost);
	if (now.refresh_failures != told->refresh_failures)
		message("[dwunw] %" PRIu64 " times the mappings could not be read or loaded",
			now.refresh_failures);
	if (now.tables_refused != told->tables_refused)
		message("[dwunw] %" PRIu64 " unwind tables not loaded", now.tables_refused);
	if (now.mappings_refused != told->mappings_refused)
		message("[dwunw] %" PRIu64 " executable mappings past the limit of a process",
			now.mappings_refused);
	if (session->options.verbose)
		tell_walks(&now);
	*told = now;
}
/* dwunw-added end */

/* dwunw-added begin: stacks that are no more than one frame */
static void tell_first_frames(const struct session *session, const struct report_snapshot *snapshot)
{
	const struct dwunw_stack *stack;

	for (size_t i = 0; i < snapshot->n_stacks; i++) {
		const struct report_stack *told = &snapshot->stacks[i];
		const struct target *target = &session->targets[told->target];

		if (dwunw_bpf_find_stack(session->dwunw, told->id, &stack))
			continue;
		reader_tell_first_frame(target->process,
					target->allocators.n ? target->allocators.list[0].path : "",
					stack);
	}
}
/* dwunw-added end */

int session_stdout_failed(void)
{
	message("cannot write to stdout: %s", strerror(errno));
	return -EIO;
}

int session_flush(void)
{
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : session_stdout_failed();
}

static int print_report(struct session *session, const struct report_snapshot *snapshot,
			const struct report_groups *groups, const struct report_options *options)
{
	time_t now = time(NULL);
	struct tm when;

	localtime_r(&now, &when);
	report_print(stdout, snapshot, groups, options, &when);
	leash_print_doubts(stdout, session);
	return session_flush();
}

/* What did not go as it should, on stderr. */
static void tell(struct session *session)
{
	if (session->live) /* else they stand behind the report */
		leash_tell_doubts(session);
	if (session->kernel)
		kernel_tell_counts(session->kernel);
	else
		tell_counts(session);
	if (session->naming)
		naming_tell_losses(session->naming);
}

void session_source(struct session *session, struct collect_target *targets,
		    struct collect_source *ret)
{
	if (session->kernel) {
		kernel_describe(session->kernel, ret);
		return;
	}
	for (unsigned int i = 0; i < session->n_targets; i++) {
		targets[i] = (struct collect_target){
			.pid = session->targets[i].pid,
			.gone = !session->targets[i].pid || session->targets[i].told,
			.is_child = session->targets[i].is_child,
			.parent = session->targets[i].parent,
			.forked_ns = session->targets[i].forked_ns,
			.started_ns = session->targets[i].started_ns,
			.tgid = &session->skel->bss->target_tgids[i],
			.image = (const volatile uint64_t *)&session->skel->bss->target_images[i],
			.symbolizer = session->targets[i].symbolizer,
			.mappings = session->targets[i].mappings,
		};
	}
	*ret = (struct collect_source){
		.blocks_fd = bpf_map__fd(session->skel->maps.blocks),
		.recent = session->recent,
		.stacks_fd = bpf_map__fd(session->skel->maps.stack_traces),
		.combined_only = session->options.combined_only,
		.combined_fd = bpf_map__fd(session->skel->maps.combined),
		.targets = targets,
		.n_targets = session->n_targets,
		.count_inherited = children_are_new(session),
		.sampling = &session->sampling,
		.verified_since_ns = session->leash.verified_since_ns,
		.doubtful_bytes = &session->leash.doubtful_bytes,
		.doubtful_blocks = &session->leash.doubtful_blocks,
		.max_depth = session->options.max_stack_depth,
		.dwunw = session->dwunw,				    /* dwunw-added */
		.handle_events = session->events ? session_catch_up : NULL, /* dwunw-added */
		.session = session,					    /* dwunw-added */
	};
}

struct report_options session_report_options(const struct session *session)
{
	const struct options *options = &session->options;
	static const enum report_sort sorts[] = {
		[OPTIONS_SORT_SIZE] = REPORT_SORT_SIZE,
		[OPTIONS_SORT_COUNT] = REPORT_SORT_COUNT,
		[OPTIONS_SORT_AGE] = REPORT_SORT_AGE,
		[OPTIONS_SORT_GROWTH] = REPORT_SORT_GROWTH,
	};

	return (struct report_options){
		.top_stacks = options->top_stacks,
		.sort = sorts[options->sort],
		.show_allocs = options->show_allocs && !options->combined_only,
		.details = options->show_details,
		.medians = session->outputs || session->options.tui,
		.no_ages = options->combined_only,
		.registers = options->verbose,
		.only_complete = !session->kernel && options->mode == OPTIONS_MODE_FORCE,
		.estimated = options->sample_rate > 1 || options->sample_bytes ||
			     session->leash.estimates,
		.now_ns = monotonic_ns(),
		.min_age_ns = options->combined_only ? 0 : options->older_ms * 1000000,
		.last = session->live ? live_growth_base(session->live) : session->last,
	};
}

int session_symbols(struct session *session)
{
	int err = 0;

	for (unsigned int i = 0; i < session->n_targets && !err; i++)
		if (session->targets[i].pid)
			err = target_symbols(session, &session->targets[i]);
	return err;
}

/* What the next report's growth is counted from. */
static int keep_totals(struct session *session, const struct report_snapshot *snapshot,
		       const struct report_groups *groups)
{
	const struct options *options = &session->options;
	struct growth *now;
	int err;

	if (!options->show_details && options->sort != OPTIONS_SORT_GROWTH && !session->outputs)
		return 0;
	err = growth_create(snapshot, groups, &now);
	if (err)
		return err;
	growth_free(session->last);
	session->last = now;
	return 0;
}

/* Groups, names and prints; *ret: the report was made, but stdout did not take it, which was said. */
static int show(struct session *session, const struct collect_source *source,
		struct report_snapshot *snapshot, bool *ret)
{
	struct report_options shown = session_report_options(session);
	bool prints = !session->live && !session->silent;
	bool writes = session->outputs && (!session->options.tui || session->ends);
	struct report_before before;
	struct report_groups groups;
	struct view *view = NULL;
	int err = report_group(snapshot, &shown, &groups);

	if (err)
		return err;
	session->total = groups.all_bytes;
	err = session_symbols(session);
	if (!err)
		err = collect_frames(source, snapshot, &groups,
				     writes   ? SIZE_MAX
				     : prints ? shown.top_stacks
					      : 0);
	if (!err && writes) {
		view = session_compared_view(session, snapshot, &groups, &shown, &before);
		shown.before = view && session->options.diff ? &before : NULL;
	}
	if (!err && prints && print_report(session, snapshot, &groups, &shown))
		*ret = true;
	/* dwunw-added begin */
	if (!err && session->dwunw) {
		tell_first_frames(session, snapshot);
		tell_stats(session);
	}
	/* dwunw-added end */
	if (!err)
		tell(session);
	if (view)
		session_write_outputs(session, view, snapshot, &groups, &shown);
	view_free(view);
	if (!err && session->options.peak && peak_is_new(&session->peak, session->total))
		err = session_keep_peak(session, source, snapshot, &shown);
	if (!err)
		err = keep_totals(session, snapshot, &groups);
	if (!err && session->live)
		err = live_take(session, snapshot, &groups, &shown);
	report_groups_free(&groups);
	return err;
}

int session_report(struct session *session)
{
	struct collect_target targets[MEMLEAK_MAX_TARGETS];
	struct collect_source source;
	struct report_snapshot snapshot;
	bool told = false;
	int err;

	session_events_handle(session);
	session_drop_old_mappings(session);
	session_source(session, targets, &source);
	progress_begin("reading what is outstanding", "blocks");
	err = collect_blocks(&source, &snapshot);
	progress_end();
	if (err) {
		message("cannot read the outstanding blocks: %s", strerror(-err));
		return err;
	}
	err = show(session, &source, &snapshot, &told);
	children_tell(session, targets);
	children_release(session);
	collect_free(&snapshot);
	if (session->dwunw)				 /* dwunw-added */
		dwunw_bpf_forget_unused(session->dwunw); /* dwunw-added: all in use was asked for */
	if (told)
		return -EIO;
	if (err)
		message("cannot make the report: %s", strerror(-err));
	return err;
}
