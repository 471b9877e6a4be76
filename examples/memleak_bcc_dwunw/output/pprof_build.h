/* SPDX-License-Identifier: BSD-2-Clause */
/* A pprof profile that is being made of a view: its texts, mappings, functions and locations, each once. */
#ifndef OUTPUT_PPROF_BUILD_H
#define OUTPUT_PPROF_BUILD_H

#include "output/frames.h"
#include "output/profile.pb-c.h"
#include "output/texts.h"
#include "output/view.h"

#define PPROF_MAX_LABELS 6

struct pprof_build {
	const struct view *view;
	Pprof__Profile
		profile; /* all but the samples, their types, texts and comments is set by pprof_build_begin() */
	Pprof__ValueType types[2], period_type;
	Pprof__ValueType *type_list[2];
	struct texts texts;
	struct pprof_stack {
		uint64_t *ids; /* of its locations, innermost first */
		size_t n;
	} * stacks; /* of the view */
	struct frame_table table;
	/* what the profile's lists point to */
	uint64_t *ids, *location_of; /* by number of a frame; 0: none yet */
	Pprof__Mapping *mappings;
	Pprof__Function *functions;
	Pprof__Location *locations;
	Pprof__Line *lines, **line_list;
	Pprof__Sample *samples;
	Pprof__Label *labels, **label_list;
	int64_t *values;
	void *functions_root;
	size_t n_lines;
};

/* -ENOMEM; then, too, *ret is to be freed. */
int pprof_build_begin(const struct view *view, struct pprof_build *ret);
void pprof_build_free(struct pprof_build *build);

/* The number of a name, which is escaped. -ENOMEM. */
int pprof_text(struct pprof_build *build, const char *name, int64_t *ret);

/* Makes room for `n` samples, each of two values and at most PPROF_MAX_LABELS labels; profile.n_sample stays 0. */
int pprof_make_samples(struct pprof_build *build, size_t n);

#endif
