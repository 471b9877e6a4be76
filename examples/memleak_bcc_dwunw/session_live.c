/* SPDX-License-Identifier: BSD-2-Clause */
#include "session_live.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "collect.h"
#include "growth.h"
#include "message.h"
#include "output/output.h"
#include "output/view.h"
#include "progress.h"
#include "session_internal.h"
#include "session_live_facts.h"
#include "tui/model.h"
#include "tui/screen.h"

#define MAX_SHOWN 1024 /* stacks on one screen */

struct live {
	struct screen *screen;
	struct tui_model model;
	struct live_facts facts;
	/* The last report, whose stacks get their names when they are first shown; `view` is made of it. */
	struct report_snapshot snapshot;
	struct report_groups groups;
	struct report_options options;
	bool *named; /* by group */
	struct view *view;
	bool stale; /* there is something to be drawn */
	char ended[16];
};

static void on_message(void *context, const char *text)
{
	struct live *live = context;

	snprintf(live->model.status, sizeof(live->model.status), "%s", text);
	live->stale = true;
}

/* In the status line; called by another thread, while this one has to do. */
static void on_progress(void *context, const char *line)
{
	const struct live *live = context;

	screen_tell(live->screen, line);
}

static void forget_report(struct live *live)
{
	model_take(&live->model, NULL);
	view_free(live->view);
	report_groups_free(&live->groups);
	collect_free(&live->snapshot);
	free(live->named);
	live->view = NULL;
	live->named = NULL;
}

/* The same report, with the names that there are by now. */
static int make_view(struct session *session)
{
	struct live *live = session->live;
	struct view *view;
	int err = session_view(session, &live->snapshot, &live->groups, &live->options, &view);

	if (err)
		return err;
	if (live->view)
		view->when = live->view->when;
	err = model_take(&live->model, view);
	view_free(live->view);
	live->view = view;
	return err;
}

/* Gives `n` stacks of the view their names; those that have them cost nothing. */
static int name_stacks(struct session *session, const uint32_t *numbers, size_t n)
{
	struct live *live = session->live;
	struct collect_target targets[MEMLEAK_MAX_TARGETS];
	struct collect_source source;
	struct report_groups wanted = {.groups = calloc(n + 1, sizeof(*wanted.groups))};
	int err = wanted.groups ? 0 : -ENOMEM;

	for (size_t i = 0; i < n && !err; i++) {
		if (!live->named[numbers[i]])
			wanted.groups[wanted.n_groups++] = live->groups.groups[numbers[i]];
		live->named[numbers[i]] = true;
	}
	if (!err && wanted.n_groups) {
		session_source(session, targets, &source);
		err = collect_frames(&source, &live->snapshot, &wanted, wanted.n_groups);
		if (!err)
			err = make_view(session);
	}
	free(wanted.groups);
	return err;
}

static int name_all(struct session *session)
{
	size_t n = session->live->groups.n_groups;
	uint32_t *numbers = calloc(n + 1, sizeof(*numbers));
	int err = -ENOMEM;

	for (size_t i = 0; numbers && i < n; i++)
		numbers[i] = (uint32_t)i;
	if (numbers)
		err = name_stacks(session, numbers, n);
	free(numbers);
	return err;
}

/* More names may change which stacks are shown. */
static int name_shown(struct session *session)
{
	const struct live *live = session->live;
	uint32_t numbers[MAX_SHOWN];

	if (!live->view)
		return 0;
	if (model_needs_all_names(&live->model))
		return name_all(session);
	return name_stacks(session, numbers, model_shown(&live->model, numbers, MAX_SHOWN));
}

static void draw(struct session *session)
{
	struct live *live = session->live;
	const char *notes[MESSAGE_MAX_NOTES];
	struct tui_grid grid;
	int err;

	screen_size(live->screen, &live->model.rows, &live->model.cols);
	model_resize(&live->model, live->model.rows, live->model.cols);
	err = name_shown(session);
	live->model.facts.n_notes = message_notes(notes);
	live->model.facts.notes = notes;
	if (!err)
		err = grid_create(live->model.rows, live->model.cols, live->model.utf8, &grid);
	if (err) {
		message("--tui: %s", strerror(-err));
		return;
	}
	model_draw(&live->model, &grid);
	screen_draw(live->screen, &grid);
	grid_free(&grid);
	live->stale = false;
}

int live_open(struct session *session)
{
	static const enum tui_sort sorts[] = {
		[OPTIONS_SORT_SIZE] = TUI_SORT_SIZE,
		[OPTIONS_SORT_COUNT] = TUI_SORT_COUNT,
		[OPTIONS_SORT_AGE] = TUI_SORT_AGE,
		[OPTIONS_SORT_GROWTH] = TUI_SORT_GROWTH,
	};
	struct live *live = calloc(1, sizeof(*live));
	int err = live ? screen_open(&live->screen) : -ENOMEM;

	if (err) {
		free(live);
		return err;
	}
	model_init(&live->model, screen_is_utf8(live->screen));
	live->model.sort = sorts[session->options.sort];
	session->live = live;
	message_hold(on_message, live);
	progress_to(on_progress, live);
	draw(session);
	return 0;
}

void live_close(struct session *session)
{
	struct live *live = session->live;

	if (!live)
		return;
	session->live = NULL;
	progress_to(NULL, NULL);
	screen_close(live->screen);
	message_release();
	forget_report(live);
	model_free(&live->model);
	live_facts_free(&live->facts);
	free(live);
}

void live_fds(const struct live *live, struct pollfd fds[LIVE_N_FDS])
{
	fds[0] = (struct pollfd){.fd = screen_keys_fd(live->screen), .events = POLLIN};
	fds[1] = (struct pollfd){.fd = screen_signals_fd(live->screen), .events = POLLIN};
}

bool live_is_paused(const struct live *live)
{
	return live->model.paused;
}

static void write_report(struct session *session)
{
	const struct live *live = session->live;
	struct report_groups groups = live->groups;
	struct report_options shown = live->options;
	struct report_before before;
	struct view *view =
		session_compared_view(session, &live->snapshot, &groups, &shown, &before);

	if (!view) /* which was said */
		return;
	shown.before = session->options.diff ? &before : NULL;
	session_write_outputs(session, view, &live->snapshot, &groups, &shown);
	view_free(view);
}

/* The files of --output, or one of our own naming. */
static void write_files(struct session *session)
{
	struct live *live = session->live;
	char path[64];
	const char *paths[] = {path};
	const struct outputs_options own = {
		.paths = paths, .n_paths = 1, .diff = session->options.diff};
	struct outputs *outputs = session->outputs;
	int err = live->view ? name_all(session) : -ENODATA;

	if (!err && !session->options.n_outputs) {
		live_name_file(session, live->view, path, sizeof(path));
		err = outputs_create(&own, &session->outputs);
	}
	if (err) {
		message("nothing is written: %s", strerror(-err));
		return;
	}
	live->model.status[0] = '\0';
	write_report(session);
	if (!live->model.status[0])
		live_tell_written(session, session->options.n_outputs ? NULL : path,
				  live->model.status, sizeof(live->model.status));
	if (!session->options.n_outputs)
		outputs_destroy(session->outputs);
	session->outputs = outputs;
}

static enum live_wish act(struct session *session, enum tui_action action)
{
	switch (action) {
	case TUI_QUIT:
		return LIVE_QUIT;
	case TUI_REFRESH:
		return LIVE_REPORT;
	case TUI_WRITE:
		write_files(session);
		return LIVE_NOTHING;
	case TUI_REDRAW:
		screen_spoil(session->live->screen);
		return LIVE_NOTHING;
	default:
		return LIVE_NOTHING;
	}
}

enum live_wish live_handle(struct session *session)
{
	struct live *live = session->live;
	enum live_wish wish = LIVE_NOTHING;
	enum tui_action action;
	int key, err = screen_signals(live->screen, &live->stale);

	while (!err && wish != LIVE_QUIT) {
		enum live_wish more;

		err = screen_key(live->screen, &key);
		if (err)
			break;
		live->model.status[0] = '\0';
		live->stale = true;
		if (model_key(&live->model, key, &action))
			message("--tui: %s", strerror(ENOMEM));
		more = act(session, action);
		wish = more ? more : wish;
	}
	if (err == -EPIPE)
		wish = LIVE_QUIT;
	if (wish != LIVE_QUIT && live->stale)
		draw(session);
	return wish;
}

int live_take(struct session *session, struct report_snapshot *snapshot,
	      struct report_groups *groups, const struct report_options *options)
{
	struct live *live = session->live;
	int err;

	forget_report(live);
	live->snapshot = *snapshot;
	live->groups = *groups;
	live->options = *options;
	live->options.before = NULL;
	*snapshot = (struct report_snapshot){};
	*groups = (struct report_groups){};
	if (!options->show_allocs) { /* for text that lists them */
		free(live->snapshot.blocks);
		free(live->snapshot.besides);
		live->snapshot.blocks = NULL;
		live->snapshot.besides = NULL;
		live->snapshot.n_blocks = 0;
	}
	live->named = calloc(live->groups.n_groups + 1, sizeof(*live->named));
	err = live->named ? make_view(session) : -ENOMEM;
	if (!err)
		err = live_facts_update(session, &live->facts, &live->snapshot, &live->groups,
					&live->model.facts);
	if (!err)
		draw(session);
	return err;
}

const struct growth *live_growth_base(const struct live *live)
{
	return live->facts.n_kept ? live->facts.kept[0].growth : NULL;
}

void live_tell_schedule(struct session *session, double s)
{
	double before = session->live->model.facts.next_s;

	session->live->model.facts.next_s = s > session->options.interval_s + 1 ? s : 0;
	if (before != session->live->model.facts.next_s)
		draw(session);
}

void live_end(struct session *session)
{
	struct live *live = session->live;
	time_t now = time(NULL);
	struct tm when;

	localtime_r(&now, &when);
	strftime(live->ended, sizeof(live->ended), "%H:%M:%S", &when);
	live->model.facts.ended = live->ended;
	live->model.facts.rate_label = live->model.facts.memory_label = NULL;
	draw(session);
}
