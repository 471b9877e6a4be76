/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves, of src/bpf/shown.c with maps of the kernel: mappings that it knows are not shown again, and any change of them is; the epoch of the
 * permanent ones changes with them and with nothing else; two processes whose keys have one place never leave each other with
 * the wrong mappings, or with none for good. Left out where eBPF cannot be used.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "../test.h"
#include "bpf/shown.h"

#define KEY 7

static struct shown_places places = {.next_epoch = 1};
static struct dwunw_mappings *mappings;

static int array_of_one(void)
{
	return bpf_map_create(BPF_MAP_TYPE_ARRAY, "inner", sizeof(__u32), sizeof(*mappings), 1,
			      NULL);
}

static int make_map(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	int inner = array_of_one(), outer;

	if (inner < 0)
		return inner;
	opts.inner_map_fd = (__u32)inner;
	outer = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "outer", sizeof(__u32), sizeof(__u32),
			       DWUNW_MAX_PROCESSES, &opts);
	close(inner);
	return outer;
}

/* Id of the map at the place: another one after each time that it is replaced. 0: none. */
static __u32 map_at(__u64 key)
{
	__u32 place = key % DWUNW_MAX_PROCESSES, id = 0;

	bpf_map_lookup_elem(places.fd, &place, &id);
	return id;
}

/* What the kernel sees. */
static struct dwunw_mappings *seen(__u64 key)
{
	static struct dwunw_mappings copy;
	__u32 zero = 0;
	int fd = bpf_map_get_fd_by_id(map_at(key));

	copy = (struct dwunw_mappings){};
	CHECK(fd >= 0 && bpf_map_lookup_elem(fd, &zero, &copy) == 0);
	close(fd);
	return &copy;
}

static void fill(__u64 key, __u32 n)
{
	*mappings = (struct dwunw_mappings){.process = key, .generation = 1, .n = n};
	for (__u32 i = 0; i < n; i++)
		mappings->mappings[i] = (struct dwunw_mapping){
			.start = i * 0x10000ULL,
			.end = i * 0x10000ULL + 0x1000,
			.table_id = i + 1,
			.flags = i % 2 ? DWUNW_MAPPING_PERMANENT : 0,
		};
}

static void replace(struct shown *shown)
{
	CHECK(shown_replace(shown, &places, mappings) == 0);
}

static void test_changes(void)
{
	struct shown shown = {};
	__u64 epoch, permanent;
	__u32 id;

	fill(KEY, 6);
	replace(&shown);
	id = map_at(KEY);
	epoch = seen(KEY)->epoch;
	permanent = seen(KEY)->permanent_epoch;
	CHECK(id && epoch && permanent && epoch != permanent);

	fill(KEY, 6);
	replace(&shown);
	CHECK(map_at(KEY) == id);

	mappings->generation = 2;
	replace(&shown);
	CHECK(map_at(KEY) != id && seen(KEY)->generation == 2 && seen(KEY)->epoch > epoch);
	CHECK(seen(KEY)->permanent_epoch == permanent);

	id = map_at(KEY);
	mappings->mappings[4].end++; /* not a permanent one */
	replace(&shown);
	CHECK(map_at(KEY) != id && seen(KEY)->permanent_epoch == permanent);

	mappings->n = 5; /* without the last permanent one */
	replace(&shown);
	CHECK(seen(KEY)->n == 5 && seen(KEY)->permanent_epoch != permanent);

	permanent = seen(KEY)->permanent_epoch;
	mappings->mappings[3].table_id = 99;
	replace(&shown);
	CHECK(seen(KEY)->permanent_epoch != permanent);
	CHECK(seen(KEY)->permanent_epoch != seen(KEY)->epoch);

	shown_hide(&shown, &places);
	CHECK(!map_at(KEY));
	replace(&shown);
	CHECK(map_at(KEY));
	shown_hide(&shown, &places);
	shown_hide(&shown, &places);
}

static void test_one_place(void)
{
	struct shown first = {}, second = {};

	fill(KEY, 2);
	replace(&first);
	fill(KEY + DWUNW_MAX_PROCESSES, 3);
	replace(&second);
	CHECK(seen(KEY)->process == KEY + DWUNW_MAX_PROCESSES);

	fill(KEY, 2); /* as before, but the kernel does not know it any more */
	replace(&first);
	CHECK(seen(KEY)->process == KEY && seen(KEY)->n == 2);

	shown_hide(&second, &places);
	CHECK(map_at(KEY)); /* that was not its own */
	shown_hide(&first, &places);
	CHECK(!map_at(KEY));
}

static void test_failure(void)
{
	int fd = places.fd;
	struct shown shown = {};

	fill(KEY, 2);
	places.fd = -1;
	CHECK(shown_replace(&shown, &places, mappings) == -EBADF);
	places.fd = fd;
	replace(&shown); /* the failure was not taken for success */
	CHECK(map_at(KEY));
	shown_hide(&shown, &places);
}

int main(void)
{
	places.fd = make_map();
	mappings = calloc(1, sizeof(*mappings));
	if (places.fd < 0 || !mappings) {
		CHECK(mappings && (places.fd == -EPERM || places.fd == -EACCES));
		printf("eBPF cannot be used here\n");
		return test_end();
	}
	test_changes();
	test_one_place();
	test_failure();
	free(mappings);
	return test_end();
}
