/* SPDX-License-Identifier: BSD-2-Clause */
/* A view as large as wanted, of nothing real: stacks that share callers as those of a server do. */
#ifndef SYNTHETIC_VIEW_H
#define SYNTHETIC_VIEW_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output/view.h"

#define SYNTHETIC_REPORTS 60
#define SYNTHETIC_FUNCTIONS 3000
#define SYNTHETIC_DEPTH 26

struct synthetic {
	struct view view;
	uint64_t seed;
	struct view_frame functions[SYNTHETIC_FUNCTIONS];
};

/* xorshift64: Marsaglia, 2003 */
static uint64_t synthetic_draw(struct synthetic *s, uint64_t below)
{
	s->seed ^= s->seed << 13;
	s->seed ^= s->seed >> 7;
	s->seed ^= s->seed << 17;
	return s->seed % below;
}

static const char *synthetic_keep(struct synthetic *s, const char *text)
{
	const char *kept = strings_keep(&s->view.strings, text);

	if (!kept)
		abort();
	return kept;
}

static void synthetic_make_functions(struct synthetic *s)
{
	static const char *const verbs[] = {"parse",  "send",  "cache", "route",
					    "decode", "merge", "open",	"update",
					    "find",   "apply", "queue", "render"};
	static const char *const nouns[] = {"header",	"session", "record", "request", "packet",
					    "document", "index",   "token",  "buffer",	"table"};
	char name[160], file[80];

	for (size_t i = 0; i < SYNTHETIC_FUNCTIONS; i++) {
		const char *verb = verbs[synthetic_draw(s, 12)],
			   *noun = nouns[synthetic_draw(s, 10)];
		uint32_t module = i < 40 ? 0 : (uint32_t)synthetic_draw(s, s->view.n_modules);

		if (i % 3 == 0)
			snprintf(name, sizeof(name),
				 "served::%s_%s<std::string, %zu>::run(served::context&, int)",
				 verb, noun, i);
		else
			snprintf(name, sizeof(name), "%s_%s_%zu", verb, noun, i);
		snprintf(file, sizeof(file), "src/%s/part_%zu.cc", nouns[i / 12 % 10], i / 12);
		s->functions[i] = (struct view_frame){
			.function = synthetic_keep(s, name),
			.file = module < 3 ? synthetic_keep(s, file) : NULL,
			.pc = 0x400000 + 64 * i,
			.module = module,
		};
	}
}

/*
 * Frames near the root are drawn from few, those near the leaf from many. Of cc1plus, the 2,000 stacks that held most had, together, 1,900
 * functions, 2,400 different frames, and each 7 frames that the one beside it in the order of their paths had not.
 */
static void synthetic_make_path(struct synthetic *s, const struct view_stack *last,
				struct view_stack *stack)
{
	size_t depth = SYNTHETIC_DEPTH - 6 + synthetic_draw(s, 13);
	size_t own = 1 + synthetic_draw(s, 16), shared = last && own < depth ? depth - own : 0;
	struct view_frame *frames = calloc(depth, sizeof(*frames));

	if (!frames)
		abort();
	if (last && shared > last->n_frames)
		shared = last->n_frames;
	for (size_t i = 0; i < depth; i++) {
		struct view_frame *frame = &frames[depth - 1 - i];

		if (i < shared) {
			*frame = last->frames[last->n_frames - 1 - i];
			continue;
		}
		*frame = s->functions[i < 6 ? i : synthetic_draw(s, 10 + i * i * 2)];
		frame->offset = 16 + (synthetic_draw(s, 6) ? 0 : 12);
		if (frame->file)
			frame->line = (uint32_t)(frame->pc / 64 % 900 + 10 +
						 (synthetic_draw(s, 6) ? 0 : 7));
		frame->inlined = i > 6 && i + 1 < depth && frame->pc % 384 == 0;
		frame->by_frame_pointer = !frame->inlined && frame->pc % 25600 == 0;
		if (frame->pc % 12800 == 64)
			frame->function = NULL;
	}
	stack->frames = frames;
	stack->n_frames = depth;
}

static void synthetic_make_history(struct synthetic *s, struct view_stack *stack, uint64_t *numbers)
{
	size_t n =
		synthetic_draw(s, 4) ? SYNTHETIC_REPORTS : 1 + synthetic_draw(s, SYNTHETIC_REPORTS);
	uint64_t kind = synthetic_draw(s, 3), step = stack->bytes / (2 * n) + 1;

	for (size_t i = 0; i < n; i++)
		numbers[i] = kind == 0	 ? stack->bytes
			     : kind == 1 ? stack->bytes - (stack->bytes > step * (n - 1 - i)
								   ? step * (n - 1 - i)
								   : 0)
					 : synthetic_draw(s, 2 * stack->bytes + 1);
	numbers[n - 1] = stack->bytes;
	stack->growth_bytes = (int64_t)(stack->bytes - (n > 1 ? numbers[n - 2] : 0));
	stack->growth_blocks = stack->growth_bytes / 64;
	stack->history = numbers;
	stack->n_history = n;
}

static void synthetic_add_up(struct view *view, const struct view_stack *stack)
{
	for (size_t i = 0; i < stack->n_history; i++)
		view->reports[SYNTHETIC_REPORTS - stack->n_history + i].bytes += stack->history[i];
	view->bytes += stack->bytes;
	view->blocks += stack->blocks;
	view->before_bytes += stack->before_bytes;
	view->before_blocks += stack->before_blocks;
	view->sums[stack->stop ? 1 : 0].bytes += stack->bytes;
	view->sums[stack->stop ? 1 : 0].blocks += stack->blocks;
}

static void synthetic_make_stack(struct synthetic *s, size_t i)
{
	struct view *view = &s->view;
	struct view_stack *stack = &view->stacks[i];
	uint64_t blocks = 1 + synthetic_draw(s, 1 + 40000 / (i + 1)),
		 size = 16 + 8 * synthetic_draw(s, 200);

	*stack = (struct view_stack){
		.identity = i + 1,
		.pid = 4711,
		.tid = (uint32_t)(4711 + synthetic_draw(s, 16)),
		.comm = synthetic_keep(s, synthetic_draw(s, 3) ? "served" : "worker"),
		.stop = synthetic_draw(s, 50) ? NULL
					      : synthetic_keep(s, "mapping without unwind table"),
		.blocks = blocks,
		.bytes = blocks * size,
		.oldest_ns = synthetic_draw(s, 7200000) * 1000000,
	};
	stack->median_ns = stack->oldest_ns / 3;
	if (view->compared) {
		stack->before_blocks =
			synthetic_draw(s, 3) ? blocks : synthetic_draw(s, 2 * blocks + 1);
		stack->before_bytes = stack->before_blocks * size;
	}
	synthetic_make_path(s, i ? stack - 1 : NULL, stack);
	if (view->compared && i % 40 == 39) { /* as view_compare() carries it over */
		stack->bytes = stack->blocks = stack->oldest_ns = stack->median_ns = 0;
		synthetic_add_up(view, stack);
		return;
	}
	synthetic_make_history(s, stack, view->histories + i * SYNTHETIC_REPORTS);
	synthetic_add_up(view, stack);
}

static void synthetic_make_facts(struct synthetic *s)
{
	static const char *const paths[] = {"/usr/sbin/served", "/usr/lib/served/libhttp.so.2",
					    "/usr/lib/served/plugins/auth.so",
					    "/usr/lib/x86_64-linux-gnu/libstdc++.so.6",
					    "/usr/lib/x86_64-linux-gnu/libc.so.6"};
	struct view *view = &s->view;

	view->n_modules = sizeof(paths) / sizeof(paths[0]);
	view->modules = calloc(view->n_modules, sizeof(*view->modules));
	view->processes = calloc(1, sizeof(*view->processes));
	view->sums = calloc(2, sizeof(*view->sums));
	view->notes = calloc(1, sizeof(*view->notes));
	view->reports = calloc(SYNTHETIC_REPORTS, sizeof(*view->reports));
	if (!view->modules || !view->processes || !view->sums || !view->notes || !view->reports)
		abort();
	for (size_t i = 0; i < view->n_modules; i++) {
		view->modules[i].path = synthetic_keep(s, paths[i]);
		view->modules[i].build_id =
			synthetic_keep(s, "0123456789abcdef0123456789abcdef01234567");
	}
	view->processes[view->n_processes++] =
		(struct view_process){4711, synthetic_keep(s, "served")};
	view->n_sums = 2;
	view->sums[1].reason = synthetic_keep(s, "mapping without unwind table");
	view->notes[view->n_notes++] =
		synthetic_keep(s, "[dwunw] 12 stack records delayed: ring buffer full");
	view->walk = synthetic_keep(s, "dwunw");
	view->n_reports = SYNTHETIC_REPORTS;
	for (size_t i = 0; i < SYNTHETIC_REPORTS; i++)
		view->reports[i].elapsed_ns = (i + 1) * 60000000000;
	view->elapsed_ns = view->reports[SYNTHETIC_REPORTS - 1].elapsed_ns;
	view->when.tv_sec = 1760000000;
	view->min_age_ns = 500000000;
}

/* To be freed by synthetic_free(); the same for the same arguments. */
static struct synthetic *synthetic_create(size_t n_stacks, bool compared)
{
	struct synthetic *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->seed = 88172645463325252;
	synthetic_make_facts(s);
	s->view.compared = compared;
	s->view.before_when.tv_sec = 1759990000;
	s->view.stacks = calloc(n_stacks + 1, sizeof(*s->view.stacks));
	s->view.histories = calloc(n_stacks + 1, SYNTHETIC_REPORTS * sizeof(*s->view.histories));
	if (!s->view.stacks || !s->view.histories)
		abort();
	synthetic_make_functions(s);
	for (size_t i = 0; i < n_stacks; i++)
		synthetic_make_stack(s, i);
	s->view.n_stacks = n_stacks;
	s->view.all_bytes = s->view.bytes + 4096;
	s->view.all_blocks = s->view.blocks + 4;
	return s;
}

/* What would leave its place in the page, or hide in it; the innermost frames of the first stacks. */
static const char *const synthetic_hostile[] = {
	"</script><script>window.broken = 1</script>",
	"<!--<script>",
	"-->]]></style></title><img src=x onerror=\"window.broken = 2\">",
	"\"'`${window.broken = 3}\\",
	"\\u003c/script\\u003e",
	"&lt;b&gt;&amp;",
	"one\ntwo\rthree\tfour\033[31mred\x01\x7f",
	"not utf-8: \xff\xfe\xc3(\xed\xa0\x80\xc0\xaf\xf4\x90\x80\x80 cut \xe2\x82",
	"lines\xe2\x80\xa8"
	"and\xe2\x80\xa9paragraphs\xc2\x85",
	"turned \xe2\x80\xaetxt.exe\xe2\x81\xa6",
	"\xe5\x87\xbd\xe6\x95\xb0 \xf0\x9f\x92\xa7 \xd0\xb8\xd0\xbc\xd1\x8f",
	"__proto__",
	"constructor",
	"a;b c",
	"",
};

#define SYNTHETIC_HOSTILE (sizeof(synthetic_hostile) / sizeof(synthetic_hostile[0]))
#define SYNTHETIC_LONG 10000 /* bytes of a C++ name */

/* The view must have more stacks than there are hostile names. */
static void synthetic_make_hostile(struct synthetic *s)
{
	struct view *view = &s->view;
	char *name = malloc(SYNTHETIC_LONG + 1);

	if (!name || view->n_stacks <= SYNTHETIC_HOSTILE)
		abort();
	for (size_t i = 0; i < SYNTHETIC_LONG; i++)
		name[i] = "std::map<int, "[i % 14];
	name[SYNTHETIC_LONG] = '\0';
	for (size_t i = 0; i <= SYNTHETIC_HOSTILE; i++) {
		struct view_frame *frame = (struct view_frame *)view->stacks[i].frames;
		const char *text = i < SYNTHETIC_HOSTILE ? synthetic_hostile[i] : name;

		frame->function = frame->file = synthetic_keep(s, text);
		frame->line = 1;
		view->stacks[i].comm = frame->function;
		view->stacks[i].stop = frame->function;
		view->processes[0].comm = synthetic_keep(s, synthetic_hostile[2]);
		view->modules[i % view->n_modules].path = frame->function;
		view->sums[1].reason = view->notes[0] = synthetic_keep(s, synthetic_hostile[0]);
	}
	free(name);
}

/* As view_free(), but the view is part of what is freed. */
static void synthetic_free(struct synthetic *s)
{
	struct view *view = malloc(sizeof(*view));

	if (!view)
		abort();
	*view = s->view;
	view_free(view);
	free(s);
}

#endif
