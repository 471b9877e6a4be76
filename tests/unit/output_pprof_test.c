/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves: .pb.gz is gzip (zlib's reader) around a profile (protobuf-c's reader) with the values, places, inlined functions, mappings, labels
 * and notes of the view; functions and locations are there once; all texts are UTF-8; what is compared with an earlier view is in it as
 * negative samples that are marked; sampling is told.
 */
#include <errno.h>
#include <zlib.h>

#include "../test.h"
#include "output/profile.pb-c.h"
#include "views.h"

static const struct output_how plain = {.report = ""};

static Pprof__Profile *unpack(const struct view *view)
{
	size_t size = 0, room = 1 << 20;
	char *packed = written(view, &plain, output_write_pprof, &size);
	uint8_t *bytes = malloc(room);
	z_stream stream = {.next_in = (Bytef *)packed,
			   .avail_in = (uInt)size,
			   .next_out = bytes,
			   .avail_out = (uInt)room};
	Pprof__Profile *profile = NULL;

	CHECK(packed && inflateInit2(&stream, MAX_WBITS + 16) == Z_OK);
	CHECK(inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_in == 0);
	profile = pprof__profile__unpack(NULL, room - stream.avail_out, bytes);
	inflateEnd(&stream);
	free(bytes);
	free(packed);
	return profile;
}

static const char *text_at(const Pprof__Profile *profile, int64_t number)
{
	return number >= 0 && (size_t)number < profile->n_string_table
		       ? profile->string_table[number]
		       : "(no such text)";
}

/* The label of that name; NULL: none. */
static const Pprof__Label *label_of(const Pprof__Profile *profile, size_t sample, const char *key)
{
	for (size_t i = 0; i < profile->sample[sample]->n_label; i++)
		if (!strcmp(text_at(profile, profile->sample[sample]->label[i]->key), key))
			return profile->sample[sample]->label[i];
	return NULL;
}

static const char *name_of(const Pprof__Profile *profile, const Pprof__Line *line)
{
	return text_at(profile, profile->function[line->function_id - 1]->name);
}

static void test_head(const Pprof__Profile *profile)
{
	CHECK(profile->n_sample_type == 2);
	CHECK(!strcmp(text_at(profile, profile->sample_type[0]->type), "inuse_objects"));
	CHECK(!strcmp(text_at(profile, profile->sample_type[1]->type), "inuse_space"));
	CHECK(!strcmp(text_at(profile, profile->sample_type[1]->unit), "bytes"));
	CHECK(!strcmp(text_at(profile, profile->default_sample_type), "inuse_space"));
	CHECK(profile->time_nanos == 1700000000123456789 && profile->duration_nanos == 5);
	CHECK(!profile->period_type && profile->period == 0);
	CHECK(profile->n_comment == 2);
	CHECK(!strcmp(text_at(profile, profile->comment[0]), "3 \"lost\"\\x1b"));
	CHECK(profile->string_table[0][0] == '\0');
}

static void test_samples(const Pprof__Profile *profile)
{
	const Pprof__Sample *first = profile->sample[0];
	const Pprof__Label *age = label_of(profile, 0, "age");

	CHECK(profile->n_sample == 3 && first->n_value == 2);
	CHECK(first->value[0] == 10 && first->value[1] == 1000);
	CHECK(first->n_location_id == 7); /* eight frames, one of them inlined */
	CHECK(label_of(profile, 0, "pid")->num == 7 && label_of(profile, 0, "tid")->num == 8);
	CHECK(!strcmp(text_at(profile, label_of(profile, 0, "comm")->str), "thr\"ead"));
	CHECK(age->num == 2 && !strcmp(text_at(profile, age->num_unit), "seconds"));
	CHECK(!label_of(profile, 0, "incomplete") && !label_of(profile, 1, "tid"));
	CHECK(!strcmp(text_at(profile, label_of(profile, 1, "incomplete")->str),
		      "stack: too deep"));
	CHECK(profile->sample[1]->n_location_id == 4 && profile->sample[2]->n_location_id == 0);
	CHECK(profile->sample[1]->location_id[0] == first->location_id[0]);
}

static void test_places(const Pprof__Profile *profile)
{
	const Pprof__Location *inlining = profile->location[1], *last = profile->location[6];

	CHECK(profile->n_location == 10 && profile->n_function == 8);
	CHECK(inlining->n_line == 2 && inlining->mapping_id == 1);
	CHECK(inlining->address == 0x1100 + 2 * 16 - 1); /* in the call, not behind it */
	CHECK(!strcmp(name_of(profile, inlining->line[0]), "a;b c\\x09d\\x0ae"));
	CHECK(inlining->line[0]->line == 6 && inlining->line[1]->line == 0);
	CHECK(!strcmp(name_of(profile, inlining->line[1]),
		      "quote\" ' <b>&amp;</script> \\\\n \\\\x1b"));
	CHECK(strlen(name_of(profile, profile->location[5]->line[0])) == TEMPLATE_SIZE);
	CHECK(last->mapping_id == 2 && last->line[0]->line == 9);
	CHECK(profile->location[7]->n_line == 0 && profile->location[9]->mapping_id == 0);
	for (size_t i = 0; i < profile->n_location; i++)
		CHECK(profile->location[i]->id == i + 1);
	for (size_t i = 0; i < profile->n_function; i++)
		CHECK(profile->function[i]->id == i + 1 &&
		      profile->function[i]->system_name == profile->function[i]->name);
}

/* The program first. */
static void test_mappings(const Pprof__Profile *profile)
{
	CHECK(profile->n_mapping == 3);
	CHECK(profile->mapping[0]->id == 2 && profile->mapping[0]->has_functions);
	CHECK(profile->mapping[0]->has_line_numbers && !profile->mapping[0]->has_filenames);
	CHECK(profile->mapping[1]->id == 1 && profile->mapping[1]->has_inline_frames);
	CHECK(!profile->mapping[1]->has_functions); /* one of them has no name */
	CHECK(!strcmp(text_at(profile, profile->mapping[1]->filename),
		      "/srv/od;d \"path\"/lib.so"));
	CHECK(!strcmp(text_at(profile, profile->mapping[1]->build_id), "00ff"));
	CHECK(profile->mapping[1]->memory_start == 0x1000 &&
	      profile->mapping[1]->memory_limit == 0x9000 &&
	      profile->mapping[1]->file_offset == 0x200);
	CHECK(profile->mapping[0]->build_id == 0 && profile->mapping[2]->memory_limit == 0);
}

static void test_texts(const Pprof__Profile *profile)
{
	size_t n_bad = 0;

	for (size_t i = 0; i < profile->n_string_table; i++)
		for (const char *c = profile->string_table[i]; *c; c++)
			n_bad += (unsigned char)*c < 0x20 || *c == 0x7f || *c == '\xff';
	CHECK(n_bad == 0);
}

static void test_compared(struct hostile_view *v)
{
	struct view *view = hostile_view(v);
	Pprof__Profile *profile;

	view->compared = true;
	v->stacks[0].before_bytes = 300;
	v->stacks[0].before_blocks = 3;
	v->stacks[1].bytes = v->stacks[1].blocks = 0;
	v->stacks[1].before_bytes = 5;
	v->stacks[1].before_blocks = 1;
	profile = unpack(view);
	CHECK(profile && profile->n_sample == 4);
	CHECK(profile->sample[1]->value[0] == -3 && profile->sample[1]->value[1] == -300);
	CHECK(!strcmp(text_at(profile, label_of(profile, 1, "pprof::base")->str), "true"));
	CHECK(!label_of(profile, 0, "pprof::base") && !label_of(profile, 1, "age"));
	CHECK(profile->sample[2]->value[1] == -5 && label_of(profile, 2, "pprof::base"));
	CHECK(profile->sample[1]->location_id[6] == profile->sample[0]->location_id[6]);
	pprof__profile__free_unpacked(profile, NULL);
}

static void test_sampled(struct hostile_view *v)
{
	struct view *view = hostile_view(v);
	Pprof__Profile *profile;

	view->estimated = view->no_ages = true;
	view->sample_bytes = 4096;
	profile = unpack(view);
	CHECK(profile && profile->period == 4096);
	CHECK(!strcmp(text_at(profile, profile->period_type->unit), "bytes"));
	CHECK(profile->n_comment == 3 && !label_of(profile, 0, "age"));
	pprof__profile__free_unpacked(profile, NULL);
	view->sample_bytes = 0;
	view->sample_rate = 10;
	v->processes[0].comm = "gone";
	profile = unpack(view);
	CHECK(profile && profile->period == 10);
	CHECK(profile->mapping[0]->id == 3); /* the file that is called as the process is */
	CHECK(!strcmp(text_at(profile, profile->period_type->unit), "count"));
	pprof__profile__free_unpacked(profile, NULL);
}

/* Of nothing a profile as well. */
static void test_empty(void)
{
	const struct view view = {.walk = "dwunw"};
	Pprof__Profile *profile = unpack(&view);

	CHECK(profile && profile->n_sample == 0 && profile->n_sample_type == 2);
	pprof__profile__free_unpacked(profile, NULL);
}

int main(void)
{
	static struct hostile_view v;
	Pprof__Profile *profile = unpack(hostile_view(&v));

	CHECK(profile);
	if (profile) {
		test_head(profile);
		test_samples(profile);
		test_places(profile);
		test_mappings(profile);
		test_texts(profile);
	}
	pprof__profile__free_unpacked(profile, NULL);
	test_compared(&v);
	test_sampled(&v);
	test_empty();
	return test_end();
}
