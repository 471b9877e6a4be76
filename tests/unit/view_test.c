/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves: a view has all of a report's stacks in its order, with inlined functions before the frame they are part of, modules once for each
 * place, build IDs in hexadecimal and the sums that make up everything; that nothing in it is borrowed; and that a text that
 * is said again with other numbers is one note.
 */
#include "output/view.h"

#include <stdlib.h>
#include <string.h>

#include "../test.h"
#include "message.h"
#include "report.h"

static const uint8_t build_id[] = {0x00, 0xab, 0xff};

static bool find_mapping(void *context, uint32_t target, uint64_t pc, struct view_mapping *ret)
{
	const char *path = context;

	if (pc < 0x1000)
		return false;
	*ret = (struct view_mapping){.path = path,
				     .build_id = build_id,
				     .build_id_size = sizeof(build_id),
				     .start = 0x1000 + 0x10000 * target,
				     .end = 0x2000 + 0x10000 * target,
				     .file_off = 0x400};
	return true;
}

static int make(struct view **ret)
{
	char path[] = "/bin/served", comm[] = "served", note[] = "3 lost";
	char name[] = "run", inner[] = "get", source[] = "run.c";
	struct inlined_function inlined[] = {{inner, {source, 3, 1}}, {"put", {NULL, 0, 0}}};
	struct report_frame frames[] = {
		{.pc = 0x1010,
		 .symbol = name,
		 .offset = 0x10,
		 .module = path,
		 .place = {source, 9, 2},
		 .inlined = inlined,
		 .n_inlined = 2},
		{.pc = 0x1020, .module = path, .flags = 0},
		{.pc = 0x20, .module = "/gone.so"},
		{.pc = 0x30},
	};
	struct report_stack stacks[] = {
		{.id = 1, .identity = 5, .pid = 7, .tid = 8, .n_frames = 4, .frames = frames},
		{.id = 2, .pid = 7, .target = 1, .stop = "depth", .n_frames = 2, .frames = frames},
		{.id = 3, .pid = 7},
	};
	struct report_block blocks[] = {{1, 10, 5, 0, 0}, {2, 20, 6, 1, 0}, {3, 30, 7, 2, 0}};
	const struct report_snapshot snapshot = {
		.blocks = blocks, .n_blocks = 3, .stacks = stacks, .n_stacks = 3};
	const struct report_options options = {.now_ns = 10, .details = true};
	const struct view_process processes[] = {{7, comm}};
	const char *notes[] = {note};
	const struct view_facts facts = {.walk = VIEW_WALK_DWUNW,
					 .processes = processes,
					 .n_processes = 1,
					 .notes = notes,
					 .n_notes = 1,
					 .find_mapping = find_mapping,
					 .context = path};
	struct report_groups groups;
	int err = report_group(&snapshot, &options, &groups);

	strcpy(stacks[0].comm, "sixteen bytes no");
	if (!err)
		err = view_create(&snapshot, &groups, &facts, ret);
	report_groups_free(&groups);
	/* what is borrowed shows */
	memset(path, 'x', sizeof(path) - 1);
	memset(name, 'x', sizeof(name) - 1);
	memset(inner, 'x', sizeof(inner) - 1);
	memset(source, 'x', sizeof(source) - 1);
	memset(comm, 'x', sizeof(comm) - 1);
	memset(note, 'x', sizeof(note) - 1);
	return err;
}

static void test_stacks(const struct view *view)
{
	const struct view_stack *last = &view->stacks[2];
	const struct view_frame *frames = last->frames;

	CHECK(view->n_stacks == 3 && view->bytes == 60 && view->blocks == 3);
	CHECK(view->stacks[0].bytes == 30 && view->stacks[0].n_frames == 0);
	CHECK(view->stacks[1].bytes == 20 && !strcmp(view->stacks[1].stop, "depth"));
	CHECK(last->pid == 7 && last->tid == 8 && last->identity == 5 && !last->stop);
	CHECK(!strcmp(last->comm, "sixteen bytes no") && last->oldest_ns == 5);
	CHECK(last->n_frames == 6);
	CHECK(frames[0].inlined && !strcmp(frames[0].function, "get") && frames[0].line == 3);
	CHECK(frames[1].inlined && !strcmp(frames[1].function, "put") && !frames[1].file);
	CHECK(!frames[2].inlined && !strcmp(frames[2].function, "run") && frames[2].offset == 16);
	CHECK(frames[2].line == 9 && !strcmp(frames[2].file, "run.c"));
	CHECK(frames[0].pc == frames[2].pc && frames[0].module == frames[2].module);
	CHECK(!frames[3].function && frames[3].module == frames[2].module);
	CHECK(frames[5].module == VIEW_NO_MODULE);
}

static void test_modules(const struct view *view)
{
	const struct view_module *of_second = &view->modules[view->stacks[1].frames[0].module];
	const struct view_module *of_first = &view->modules[view->stacks[2].frames[0].module];
	const struct view_module *gone = &view->modules[view->stacks[2].frames[4].module];

	CHECK(view->n_modules == 3);
	CHECK(!strcmp(of_first->path, "/bin/served") && !strcmp(of_second->path, "/bin/served"));
	CHECK(!strcmp(of_first->build_id, "00abff"));
	CHECK(of_first->start == 0x1000 && of_first->end == 0x2000 && of_first->file_off == 0x400);
	CHECK(of_second->start == 0x11000);
	CHECK(!strcmp(gone->path, "/gone.so") && gone->start == 0 && !gone->build_id[0]);
}

static void test_facts(const struct view *view)
{
	CHECK(view->n_sums == 2);
	CHECK(!view->sums[0].reason && view->sums[0].bytes == 40 && view->sums[0].blocks == 2);
	CHECK(!strcmp(view->sums[1].reason, "depth") && view->sums[1].bytes == 20);
	CHECK(view->n_processes == 1 && !strcmp(view->processes[0].comm, "served"));
	CHECK(view->n_notes == 1 && !strcmp(view->notes[0], "3 lost"));
}

static void test_notes(void)
{
	const char *notes[MESSAGE_MAX_NOTES];

	CHECK(message_notes(notes) == 0);
	message("%d stacks, 10%% lost", 9);
	message("other");
	message("%d stacks, 7%% lost", 1234);
	CHECK(message_notes(notes) == 2);
	CHECK(!strcmp(notes[0], "1234 stacks, 7% lost") && !strcmp(notes[1], "other"));
	for (int i = 0; i < MESSAGE_MAX_NOTES; i++)
		message("%c%c", 'a' + i % 26, 'a' + i / 26);
	CHECK(message_notes(notes) == MESSAGE_MAX_NOTES && !strcmp(notes[0], "aa"));
}

int main(void)
{
	struct view *view = NULL;

	CHECK(make(&view) == 0);
	if (view) {
		test_stacks(view);
		test_modules(view);
		test_facts(view);
	}
	view_free(view);
	view_free(NULL);
	test_notes();
	return test_end();
}
