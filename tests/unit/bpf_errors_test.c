/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves: bad input to the functions of dwunw.h that have to do with eBPF gives their documented error, with the result untouched: NULL,
 * options that are too short or of a newer library, objects that are not loaded, processes that are gone, records that are cut or of
 * no known kind. The part that needs a loaded object is left out where eBPF cannot be used.
 */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/libbpf.h>
#include <dwunw/dwunw.h>

#include "../test.h"

static struct dwunw_context *context;

static void test_prepare(struct bpf_object *object)
{
	struct dwunw_bpf_opts good = {.size = sizeof(good)}, opts;
	struct {
		struct dwunw_bpf_opts opts;
		uint64_t newer;
	} longer = {{.size = sizeof(longer)}, 0};

	CHECK(dwunw_bpf_prepare(NULL, &good) == -EINVAL);
	opts = (struct dwunw_bpf_opts){.size = 0};
	CHECK(dwunw_bpf_prepare(object, &opts) == -EINVAL);
	opts.size = sizeof(size_t) - 1;
	CHECK(dwunw_bpf_prepare(object, &opts) == -EINVAL);
	opts.size = SIZE_MAX;
	CHECK(dwunw_bpf_prepare(object, &opts) == -EINVAL);
	opts = good;
	opts.max_depth = DWUNW_MAX_FRAMES;
	CHECK(dwunw_bpf_prepare(object, &opts) == -EINVAL);
	longer.newer = 1;
	CHECK(dwunw_bpf_prepare(object, &longer.opts) == -EINVAL);
	longer.newer = 0;
	CHECK(dwunw_bpf_prepare(object, &longer.opts) == 0);
	CHECK(dwunw_bpf_prepare(object, NULL) == 0);
}

static void test_create(struct bpf_object *object)
{
	struct dwunw_bpf *untouched = (void *)1, *bpf = untouched;

	CHECK(dwunw_bpf_create(NULL, object, &bpf) == -EINVAL);
	CHECK(dwunw_bpf_create(context, NULL, &bpf) == -EINVAL);
	CHECK(dwunw_bpf_create(context, object, NULL) == -EINVAL);
	CHECK(dwunw_bpf_create(context, object, &bpf) == -ENOENT); /* not loaded */
	CHECK(bpf == untouched);
	dwunw_bpf_destroy(NULL);
}

static void test_null(void)
{
	const struct dwunw_stack *stack;
	struct dwunw_event event = {0};

	CHECK(dwunw_bpf_add_process(NULL, getpid()) == -EINVAL);
	CHECK(dwunw_bpf_remove_process(NULL, getpid()) == -EINVAL);
	CHECK(dwunw_bpf_handle_event(NULL, &event, sizeof(event)) == -EINVAL);
	CHECK(dwunw_bpf_find_stack(NULL, 0, &stack) == -EINVAL);
	CHECK(dwunw_bpf_forget_unused(NULL) == -EINVAL);
	CHECK(dwunw_stop_reason_text(UINT_MAX) && dwunw_stop_reason_text(DWUNW_N_STOP_REASONS));
}

static void test_events(struct dwunw_bpf *bpf)
{
	struct dwunw_cut_short_event cut_short = {.event = {.type = DWUNW_EVENT_CUT_SHORT}};
	struct dwunw_event event = {.type = DWUNW_EVENT_TOOL};

	CHECK(dwunw_bpf_handle_event(bpf, NULL, sizeof(event)) == -EINVAL);
	CHECK(dwunw_bpf_handle_event(bpf, &event, 3) == -EINVAL);
	CHECK(dwunw_bpf_handle_event(bpf, &event, sizeof(event)) == 1);
	for (event.type = 0; event.type < DWUNW_EVENT_TOOL; event.type++)
		CHECK(dwunw_bpf_handle_event(bpf, &event, sizeof(event) - 1) == -EBADMSG);
	event.type = 0;
	CHECK(dwunw_bpf_handle_event(bpf, &event, sizeof(event)) == -EBADMSG);
	event.type = DWUNW_EVENT_TOOL - 1;
	CHECK(dwunw_bpf_handle_event(bpf, &event, sizeof(event)) == -EBADMSG);
	event.type = DWUNW_EVENT_STACK; /* its frames are missing */
	CHECK(dwunw_bpf_handle_event(bpf, &event, sizeof(event)) == -EBADMSG);
	CHECK(dwunw_bpf_handle_event(bpf, &cut_short, sizeof(cut_short) - 1) == -EBADMSG);
	/* what it says that it has is not there */
	cut_short.slice_size = 8;
	CHECK(dwunw_bpf_handle_event(bpf, &cut_short, sizeof(cut_short)) == -EBADMSG);
	cut_short.slice_size = DWUNW_MAX_SLICE + 1;
	CHECK(dwunw_bpf_handle_event(bpf, &cut_short, SIZE_MAX) == -EBADMSG);
	cut_short.slice_size = 0;
	cut_short.n_frames = 1;
	CHECK(dwunw_bpf_handle_event(bpf, &cut_short, sizeof(cut_short) + 15) == -EBADMSG);
	cut_short.n_frames = 0;
	cut_short.n_returns = 1;
	CHECK(dwunw_bpf_handle_event(bpf, &cut_short, sizeof(cut_short) + 15) == -EBADMSG);
	cut_short.n_returns = 0;
	cut_short.second = 1;
	CHECK(dwunw_bpf_handle_event(bpf, &cut_short, sizeof(cut_short)) == -EBADMSG);
	cut_short.second = 0;
	cut_short.n_returns = DWUNW_MAX_RETURNS + 1;
	CHECK(dwunw_bpf_handle_event(bpf, &cut_short, SIZE_MAX) == -EBADMSG);
	cut_short.n_returns = 0;
	cut_short.n_frames = DWUNW_CUT_SHORT_FRAMES + 1;
	CHECK(dwunw_bpf_handle_event(bpf, &cut_short, SIZE_MAX) == -EBADMSG);
}

static void test_loaded(struct bpf_object *object)
{
	const struct dwunw_stack *untouched = (void *)1, *stack = untouched;
	struct dwunw_bpf_stats stats;
	struct dwunw_bpf *bpf;
	pid_t gone;

	if (dwunw_bpf_create(context, object, &bpf)) {
		CHECK(false);
		return;
	}
	gone = fork();
	if (gone == 0)
		_exit(0);
	waitpid(gone, NULL, 0);
	CHECK(dwunw_bpf_add_process(bpf, 0) == -EINVAL);
	CHECK(dwunw_bpf_add_process(bpf, -1) == -EINVAL);
	CHECK(dwunw_bpf_add_process(bpf, gone) == -ESRCH);
	CHECK(dwunw_bpf_add_process(bpf, INT_MAX) == -ESRCH);
	CHECK(dwunw_bpf_remove_process(bpf, getpid()) == -ESRCH);
	CHECK(dwunw_bpf_add_process(bpf, getpid()) == 0);
	CHECK(dwunw_bpf_add_process(bpf, getpid()) == 0); /* reads its mappings again */
	CHECK(dwunw_bpf_remove_process(bpf, getpid()) == 0);
	CHECK(dwunw_bpf_remove_process(bpf, getpid()) == -ESRCH);
	test_events(bpf);
	CHECK(dwunw_bpf_find_stack(bpf, 0, NULL) == -EINVAL);
	CHECK(dwunw_bpf_find_stack(bpf, 12345, &stack) == -ENOENT);
	CHECK(dwunw_bpf_find_stack(bpf, -EINVAL, &stack) == -ENOENT);
	CHECK(dwunw_bpf_find_stack(bpf, DWUNW_ID_REASON | DWUNW_STOP_RATE, &stack) == -ENOENT);
	CHECK(stack == untouched);
	CHECK(dwunw_bpf_forget_unused(bpf) == 0);
	dwunw_bpf_get_stats(bpf, &stats);
	CHECK(stats.refresh_failures == 0 && stats.tables_refused == 0);
	dwunw_bpf_destroy(bpf);
}

static int say_nothing(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level, (void)format, (void)args;
	return 0;
}

/* `argv0` is BUILD/tests/unit/bpf_errors_test. */
int main(int argc, char **argv)
{
	struct bpf_object *object;
	char path[PATH_MAX];

	(void)argc;
	libbpf_set_print(say_nothing);
	snprintf(path, sizeof(path), "%s", argv[0]);
	for (int i = 0; i < 3 && strrchr(path, '/'); i++)
		*strrchr(path, '/') = '\0';
	strncat(path, "/examples/bpf_memleak/memleak.bpf.o", sizeof(path) - strlen(path) - 1);
	object = bpf_object__open_file(path, NULL);
	CHECK(object && dwunw_context_create(NULL, &context) == 0);
	if (!object)
		return test_end();
	test_create(object);
	test_prepare(object);
	test_null();
	if (bpf_object__load(object) == 0)
		test_loaded(object);
	else
		printf("eBPF cannot be used here\n");
	dwunw_context_destroy(context);
	bpf_object__close(object);
	return test_end();
}
