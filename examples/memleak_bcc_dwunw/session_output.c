/* SPDX-License-Identifier: BSD-2-Clause */
/* --output: what a report is made of, for files. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "comm.h"
#include "elf/elf_file.h"
#include "message.h"
#include "output/history.h"
#include "output/output.h"
#include "output/view.h"
#include "process/process.h"
#include "session_internal.h"

int session_open_outputs(struct session *session)
{
	const struct options *options = &session->options;
	const struct outputs_options how = {
		.paths = options->outputs,
		.n_paths = options->n_outputs,
		.folded_count = options->folded_count,
		.diff = options->diff,
	};

	if (!options->n_outputs && !options->diff)
		return 0;
	return outputs_create(&how, &session->outputs);
}

static bool find_mapping(void *context, uint32_t target, uint64_t pc, struct view_mapping *ret)
{
	const struct session *session = context;
	const struct process *process = session->kernel ? NULL : session->targets[target].process;
	const struct mapping *mapping = process ? process_find_mapping(process, pc) : NULL;

	if (!mapping || !mapping_has_path(mapping))
		return false;
	*ret = (struct view_mapping){
		.path = mapping->path,
		.start = mapping->start,
		.end = mapping->end,
		.file_off = mapping->file_off,
	};
	if (mapping->module)
		ret->build_id = elf_file_build_id(mapping->module->elf, &ret->build_id_size);
	return true;
}

static const char *how_walked(const struct session *session)
{
	if (session->dwunw)		/* dwunw-added */
		return VIEW_WALK_DWUNW; /* dwunw-added */
	return session->kernel ? VIEW_WALK_KERNEL : VIEW_WALK_FP;
}

static size_t list_processes(struct session *session, struct view_process *ret)
{
	size_t n = 0;

	for (unsigned int i = 0; i < session->n_targets; i++) {
		struct target *target = &session->targets[i];

		if (!target->pid)
			continue;
		comm_read(target->pid, target->comm);
		ret[n++] = (struct view_process){(uint32_t)target->pid, target->comm};
	}
	return n;
}

static int add_history(struct session *session, struct view *view)
{
	int without = session->history ? 0 : history_create(&session->history);

	if (!without)
		without = history_add(session->history, view);
	if (without > 0)
		message_once("a report has more than %d stacks: those past it have no history",
			     HISTORY_MAX_STACKS);
	return without < 0 ? without : 0;
}

int session_view(struct session *session, const struct report_snapshot *snapshot,
		 const struct report_groups *groups, const struct report_options *options,
		 struct view **ret)
{
	struct view_process processes[MEMLEAK_MAX_TARGETS];
	const char *notes[MESSAGE_MAX_NOTES];
	struct view_facts facts = {
		.elapsed_ns = options->now_ns - session->started_ns,
		.min_age_ns = options->min_age_ns,
		.walk = how_walked(session),
		.no_ages = options->no_ages,
		.estimated = options->estimated,
		.sample_rate = session->options.sample_rate > 1 && !session->options.max_overhead
				       ? session->options.sample_rate
				       : 0,
		.sample_bytes = session->options.max_overhead ? 0 : session->options.sample_bytes,
		.processes = processes,
		.n_processes = list_processes(session, processes),
		.notes = notes,
		.n_notes = message_notes(notes),
		.find_mapping = find_mapping,
		.context = session,
	};
	struct view *view;
	int err;

	clock_gettime(CLOCK_REALTIME, &facts.when);
	err = view_create(snapshot, groups, &facts, &view);
	if (err)
		return err;
	err = add_history(session, view);
	if (err)
		view_free(view);
	else
		*ret = view;
	return err;
}

static void fail(struct session *session, int err)
{
	message("cannot make the files of the report: %s", strerror(-err));
	session->outputs_failed = true;
}

/* A view has the groups' stacks first, in their order. */
static void take_over(const struct view *view, struct report_groups *groups,
		      struct report_before *ret)
{
	*ret = (struct report_before){.bytes = view->before_bytes, .blocks = view->before_blocks};
	localtime_r(&view->before_when.tv_sec, &ret->when);
	for (size_t i = 0; i < view->n_stacks; i++) {
		const struct view_stack *stack = &view->stacks[i];

		if (i < groups->n_groups) {
			groups->groups[i].before_bytes = stack->before_bytes;
			groups->groups[i].before_blocks = stack->before_blocks;
		} else {
			ret->gone_bytes += stack->before_bytes;
			ret->gone_blocks += stack->before_blocks;
			ret->n_gone++;
		}
	}
}

struct view *session_compared_view(struct session *session, const struct report_snapshot *snapshot,
				   struct report_groups *groups,
				   const struct report_options *options, struct report_before *ret)
{
	struct view *view = NULL;
	int err = session_view(session, snapshot, groups, options, &view);

	if (!err)
		err = outputs_compare(session->outputs, view);
	if (err) {
		fail(session, err);
		view_free(view);
		return NULL;
	}
	take_over(view, groups, ret);
	return view;
}

/* The text of the report is not in the view: it may list blocks. To be freed; NULL: no memory. */
static char *text_of(const struct session *session, const struct report_snapshot *snapshot,
		     const struct report_groups *groups, const struct report_options *options,
		     const struct view *view)
{
	struct tm when;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	bool failed;

	if (!out)
		return NULL;
	localtime_r(&view->when.tv_sec, &when);
	report_print(out, snapshot, groups, options, &when);
	leash_print_doubts(out, session);
	failed = ferror(out);
	if (!fclose(out) && !failed)
		return text;
	free(text);
	return NULL;
}

void session_write_outputs(struct session *session, struct view *view,
			   const struct report_snapshot *snapshot,
			   const struct report_groups *groups, const struct report_options *options)
{
	char *text = text_of(session, snapshot, groups, options, view);
	const char *notes[MESSAGE_MAX_NOTES];

	/* with what was told of this report */
	if (!text || view_set_notes(view, notes, message_notes(notes)))
		fail(session, -ENOMEM);
	else if (outputs_write(session->outputs, view, text))
		session->outputs_failed = true;
	free(text);
}
