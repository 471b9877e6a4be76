/* SPDX-License-Identifier: BSD-2-Clause */
/* A view by hand, of what formats may trip over, and the bytes that a writer makes of a view. */
#ifndef VIEWS_H
#define VIEWS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output/view.h"
#include "output/writers.h"

#define TEMPLATE_SIZE 10240

static const char *const hostile[] = {
	"operator new(unsigned long)",
	"a;b c\td\ne",
	"quote\" ' <b>&amp;</script> \\n \\x1b",
	"\x1b[31mred\xff\xc3(\xed\xa0\x80\xe2\x82\xac",
	"ends with 12",
	"",
};
#define N_HOSTILE (sizeof(hostile) / sizeof(hostile[0]))

struct hostile_view {
	struct view view;
	struct view_module modules[3];
	struct view_process processes[2];
	const char *notes[2];
	struct view_frame frames[2][8];
	struct view_stack stacks[3];
	char template_name[TEMPLATE_SIZE + 1];
};

/* Three stacks: of all names, inlined ones among them; cut short, without names; without frames, of the largest numbers. */
static inline struct view *hostile_view(struct hostile_view *v)
{
	*v = (struct hostile_view){
		.modules = {{"/srv/od;d \"path\"/lib.so", "00ff", 0x1000, 0x9000, 0x200},
			    {"/bin/main program", "", 0x20000, 0x30000, 0},
			    {"gone.so", "", 0, 0, 0}},
		.processes = {{7, "run; me\x7f"}, {9, "run; me\x7f"}},
		.notes = {"3 \"lost\"\x1b", "\xff"},
	};
	memset(v->template_name, 'T', TEMPLATE_SIZE);
	v->template_name[TEMPLATE_SIZE / 2] = '<';
	for (size_t i = 0; i < N_HOSTILE; i++)
		v->frames[0][i] = (struct view_frame){.function = hostile[i],
						      .file = i % 2 ? hostile[i] : NULL,
						      .pc = 0x1100 + 16 * i,
						      .offset = 0x10,
						      .line = i % 2 ? 5 + (uint32_t)i : 0};
	v->frames[0][1].inlined = true; /* into the next */
	v->frames[0][1].pc = v->frames[0][2].pc;
	v->frames[0][1].offset = 0;
	v->frames[0][6] = (struct view_frame){.function = v->template_name, .pc = 0x2000};
	v->frames[0][7] = (struct view_frame){
		.function = "main", .pc = 0x20010, .offset = 4, .module = 1, .line = 9};
	v->frames[1][0] = v->frames[0][0];
	v->frames[1][1] = (struct view_frame){.pc = 0x1400};
	v->frames[1][2] = (struct view_frame){.pc = 0x77, .module = 2};
	v->frames[1][3] = (struct view_frame){
		.pc = UINT64_MAX, .module = VIEW_NO_MODULE, .by_frame_pointer = true};
	v->stacks[0] = (struct view_stack){.identity = UINT64_MAX,
					   .pid = 7,
					   .tid = 8,
					   .comm = "thr\"ead",
					   .bytes = 1000,
					   .blocks = 10,
					   .oldest_ns = 2500000000,
					   .median_ns = 7,
					   .growth_bytes = -4,
					   .growth_blocks = INT64_MIN,
					   .frames = v->frames[0],
					   .n_frames = 8};
	v->stacks[1] = (struct view_stack){.pid = 9,
					   .comm = "",
					   .stop = "stack: too deep",
					   .bytes = 24,
					   .blocks = 1,
					   .frames = v->frames[1],
					   .n_frames = 4};
	v->stacks[2] = (struct view_stack){.pid = 7, .comm = "x", .bytes = 1, .blocks = 1};
	v->view = (struct view){.when = {1700000000, 123456789},
				.elapsed_ns = 5,
				.walk = "dwunw",
				.bytes = 1025,
				.blocks = 12,
				.all_bytes = UINT64_MAX,
				.all_blocks = 13,
				.processes = v->processes,
				.n_processes = 2,
				.modules = v->modules,
				.n_modules = 3,
				.notes = v->notes,
				.n_notes = 2,
				.stacks = v->stacks,
				.n_stacks = 3};
	return &v->view;
}

/* To be freed; NULL: the writer failed. */
static inline char *
written(const struct view *view, const struct output_how *how,
	int (*write)(FILE *out, const struct view *view, const struct output_how *how), size_t *ret)
{
	char *bytes = NULL;
	FILE *out = open_memstream(&bytes, ret);
	int err = write(out, view, how);

	if (!fclose(out) && !err)
		return bytes;
	free(bytes);
	return NULL;
}

#endif
