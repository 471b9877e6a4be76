/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * .pb.gz: pprof's profile (profile.proto), with gzip. What is compared with an earlier report is, as `go tool pprof -diff_base` would make
 * it, the difference: samples from before are negative, and have the label pprof::base.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "output/gzip.h"
#include "output/pprof_build.h"
#include "output/writers.h"

static int64_t number(uint64_t value)
{
	return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

/* A label; its text, if it has one, is copied. */
static int add_label(struct pprof_build *build, Pprof__Sample *sample, const char *key,
		     const char *text, uint64_t value, const char *unit)
{
	Pprof__Label *label = sample->label[sample->n_label];
	int err = pprof_text(build, key, &label->key);

	if (!err && text)
		err = pprof_text(build, text, &label->str);
	else
		label->num = number(value);
	if (!err && unit)
		err = pprof_text(build, unit, &label->num_unit);
	sample->n_label++;
	return err;
}

static int add_labels(struct pprof_build *build, Pprof__Sample *sample,
		      const struct view_stack *stack, bool base)
{
	int err = 0;

	if (stack->pid)
		err = add_label(build, sample, "pid", NULL, stack->pid, NULL);
	if (!err && stack->tid)
		err = add_label(build, sample, "tid", NULL, stack->tid, NULL);
	if (!err && stack->comm[0])
		err = add_label(build, sample, "comm", stack->comm, 0, NULL);
	if (!err && stack->stop)
		err = add_label(build, sample, "incomplete", stack->stop, 0, NULL);
	if (!err && !build->view->no_ages && !base)
		err = add_label(build, sample, "age", NULL, stack->oldest_ns / 1000000000,
				"seconds");
	if (!err && base)
		err = add_label(build, sample, "pprof::base", "true", 0, NULL);
	return err;
}

static int add_sample(struct pprof_build *build, size_t stack, int64_t blocks, int64_t bytes,
		      bool base)
{
	Pprof__Sample *sample = build->profile.sample[build->profile.n_sample++];

	sample->n_location_id = build->stacks[stack].n;
	sample->location_id = build->stacks[stack].ids;
	sample->n_value = 2;
	sample->value[0] = blocks;
	sample->value[1] = bytes;
	return add_labels(build, sample, &build->view->stacks[stack], base);
}

static int add_samples(struct pprof_build *build)
{
	const struct view *view = build->view;
	int err = pprof_make_samples(build, (view->compared ? 2 : 1) * view->n_stacks);

	for (size_t i = 0; i < view->n_stacks && !err; i++) {
		const struct view_stack *stack = &view->stacks[i];

		if (!view->compared || stack->blocks)
			err = add_sample(build, i, number(stack->blocks), number(stack->bytes),
					 false);
		if (!err && view->compared && stack->before_blocks)
			err = add_sample(build, i, -number(stack->before_blocks),
					 -number(stack->before_bytes), true);
	}
	return err;
}

static int set_type(struct pprof_build *build, Pprof__ValueType *type, const char *name,
		    const char *unit)
{
	int err = pprof_text(build, name, &type->type);

	return err ? err : pprof_text(build, unit, &type->unit);
}

static int add_types(struct pprof_build *build)
{
	Pprof__Profile *profile = &build->profile;
	const struct view *view = build->view;
	int err = set_type(build, profile->sample_type[0], "inuse_objects", "count");

	if (!err)
		err = set_type(build, profile->sample_type[1], "inuse_space", "bytes");
	if (!err)
		err = pprof_text(build, "inuse_space", &profile->default_sample_type);
	if (err || (view->sample_rate <= 1 && !view->sample_bytes))
		return err;
	profile->period_type = &build->period_type;
	profile->period = number(view->sample_bytes ? view->sample_bytes : view->sample_rate);
	return view->sample_bytes ? set_type(build, profile->period_type, "space", "bytes")
				  : set_type(build, profile->period_type, "allocations", "count");
}

static int add_comments(struct pprof_build *build)
{
	const struct view *view = build->view;
	Pprof__Profile *profile = &build->profile;
	int err = 0;

	profile->comment = calloc(view->n_notes + 1, sizeof(*profile->comment));
	if (!profile->comment)
		return -ENOMEM;
	if (view->estimated)
		err = pprof_text(build, "values are estimates, from sampled allocations",
				 &profile->comment[profile->n_comment++]);
	for (size_t i = 0; i < view->n_notes && !err; i++)
		err = pprof_text(build, view->notes[i], &profile->comment[profile->n_comment++]);
	return err;
}

static int write_packed(FILE *out, const Pprof__Profile *profile)
{
	size_t size = pprof__profile__get_packed_size(profile);
	uint8_t *packed = malloc(size);
	int err = -ENOMEM;

	if (packed) {
		pprof__profile__pack(profile, packed);
		err = gzip_write(out, packed, size);
	}
	free(packed);
	return err;
}

int output_write_pprof(FILE *out, const struct view *view, const struct output_how *how)
{
	struct pprof_build build;
	int err = pprof_build_begin(view, &build);

	(void)how;
	if (!err)
		err = add_types(&build);
	if (!err)
		err = add_samples(&build);
	if (!err)
		err = add_comments(&build);
	if (!err) {
		build.profile.time_nanos =
			(int64_t)view->when.tv_sec * 1000000000 + view->when.tv_nsec;
		build.profile.duration_nanos = number(view->elapsed_ns);
		build.profile.string_table = build.texts.list;
		build.profile.n_string_table = build.texts.n;
		err = write_packed(out, &build.profile);
	}
	pprof_build_free(&build);
	return err;
}
