/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proves, of src/bpf/past.c: at any time since it began, what was mapped at an address is the newest mapping that was recorded there
 * by then and since the last exec, else, before the first exec, what was there in the beginning, whatever parts of it others hide; also if
 * records come out of order, questions go back in time, and there are more records than are kept apart. Of
 * what may still be asked for nothing is forgotten. The truth is a plain list of all of them.
 */
#include <stdlib.h>
#include <string.h>

#include "../test.h"
#include "bpf/past.h"

#define PAGE 4096ULL
#define PAGES 64      /* that mappings are in */
#define RECORDS 10000 /* more than are kept, several times */
#define BASE_NS 1000000
#define STEP_NS 16
#define LATE 8 /* places that a record may come late by */
#define EXEC_EVERY 300
#define FURTHEST_NS 3200 /* that questions go back */

struct fact {
	uint64_t time_ns, start, end;
	uint64_t number; /* its inode number; 0: an exec, which covers all addresses */
};

static struct fact facts[RECORDS];
static size_t n_facts;

static struct mapping mapping_of(const struct fact *fact)
{
	return (struct mapping){
		.start = fact->start,
		.end = fact->end,
		.file_off = fact->start, /* so that a part has the address as its offset, too */
		.inode = fact->number,
		.executable = true,
		.path = strdup("/file"),
	};
}

static uint64_t number_at(uint64_t addr, uint64_t time_ns)
{
	uint64_t newest = 0, number = addr < PAGES / 2 * PAGE ? 1 : 0; /* the base */

	for (size_t i = 0; i < n_facts; i++) {
		const struct fact *fact = &facts[i];

		if (fact->time_ns <= time_ns && fact->time_ns >= newest && addr >= fact->start &&
		    addr < fact->end) {
			newest = fact->time_ns;
			number = fact->number;
		}
	}
	return number;
}

static void check_at(struct past *past, uint64_t time_ns)
{
	const struct process *process = past_at(past, time_ns);
	uint64_t before = 0;

	CHECK((process != NULL) == (time_ns >= past->base_ns));
	if (!process)
		return;
	for (size_t i = 0; i < process->n_mappings; i++) {
		const struct mapping *mapping = &process->mappings[i];

		CHECK(mapping->start >= before && mapping->end > mapping->start);
		before = mapping->end;
	}
	for (uint64_t addr = PAGE / 2; addr < PAGES * PAGE; addr += PAGE) {
		const struct mapping *mapping = process_find_mapping(process, addr);

		CHECK((mapping ? mapping->inode : 0) == number_at(addr, time_ns));
		CHECK(!mapping || mapping->file_off == mapping->start);
	}
}

static struct fact random_fact(uint64_t time_ns)
{
	uint64_t first = (uint64_t)rand() % PAGES, n = 1 + (uint64_t)rand() % 8;

	if (rand() % EXEC_EVERY == 0)
		return (struct fact){.time_ns = time_ns, .end = PAGES * PAGE};
	if (first + n > PAGES)
		n = PAGES - first;
	return (struct fact){
		.time_ns = time_ns,
		.start = first * PAGE,
		.end = (first + n) * PAGE,
		.number = n_facts + 2,
	};
}

static int add_fact(struct module_cache *cache, struct past *past, const struct fact *fact)
{
	struct mapping mapping;

	if (!fact->number)
		return past_add_exec(cache, past, fact->time_ns);
	mapping = mapping_of(fact);
	return past_add(cache, past, fact->time_ns, &mapping);
}

static void test_random(struct module_cache *cache)
{
	struct mapping base = {.end = PAGES / 2 * PAGE, .inode = 1, .executable = true, .path = ""};
	struct process process = {.n_mappings = 1, .mappings = &base};
	struct past past = {};
	uint64_t time_ns = BASE_NS;

	CHECK(past_at(&past, BASE_NS) == NULL);
	CHECK(past_begin(cache, &past, &process, BASE_NS) == 0);
	CHECK(past_at(&past, BASE_NS - 1) == NULL);
	check_at(&past, BASE_NS);
	while (n_facts < RECORDS) {
		uint64_t late = rand() % 4 ? 0 : 1 + (uint64_t)rand() % LATE;

		time_ns += STEP_NS;
		/* all times differ: of two at one time, either could be the newer one */
		facts[n_facts] = random_fact(
			late ? time_ns - late * STEP_NS + 1 + n_facts % (STEP_NS - 1) : time_ns);
		CHECK(add_fact(cache, &past, &facts[n_facts]) == 0);
		n_facts++;
		if (n_facts % 100 == 0) {
			past.done_ns = time_ns - FURTHEST_NS - STEP_NS * LATE;
			check_at(&past, time_ns);
			check_at(&past, time_ns - (uint64_t)rand() % FURTHEST_NS);
			check_at(&past, time_ns);
		}
	}
	CHECK(past.base_ns > BASE_NS);
	past_clear(cache, &past);
	CHECK(past_at(&past, time_ns) == NULL);
}

/* The same records, all before the first question. */
static void test_behind(struct module_cache *cache)
{
	struct mapping base = {.end = PAGES / 2 * PAGE, .inode = 1, .executable = true, .path = ""};
	struct process process = {.n_mappings = 1, .mappings = &base};
	struct past past = {};

	CHECK(past_begin(cache, &past, &process, BASE_NS) == 0);
	for (size_t i = 0; i < n_facts; i++)
		CHECK(add_fact(cache, &past, &facts[i]) == 0);
	CHECK(past.base_ns == BASE_NS);
	for (size_t i = 0; i < n_facts; i += 50)
		check_at(&past, facts[i].time_ns);
	past_clear(cache, &past);
}

int main(void)
{
	struct module_cache *cache;

	srand(1);
	CHECK(module_cache_create(0, &cache) == 0);
	test_random(cache);
	test_behind(cache);
	module_cache_destroy(cache);
	return test_end();
}
